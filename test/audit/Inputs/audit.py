"""What the sources declare, a test must name: every pass, dialect op, verifier
message and error code. Prints what none does, and exceptions.json's lines that
are no longer true.

  audit.py ROOT
"""

import json
import pathlib
import re
import sys

HERE = pathlib.Path(__file__).resolve().parent
SOURCES = ("include", "lib", "dialects", "passes", "targets", "tools", "python")


def text_of(folder, *endings):
    return "\n".join(p.read_text(errors="replace") for p in sorted(folder.rglob("*"))
                     if p.suffix in endings and HERE not in p.parents)


def passes(root):
    """Every pass runs in a lit test of its room."""
    for table in sorted((root / "passes").glob("*/Passes.td")):
        room = table.parent.name
        tests = text_of(root / "test/passes" / room, ".mlir", ".test", ".py")
        for name in re.findall(r'Pass<"([\w-]+)"', table.read_text()):
            if not re.search(rf"RUN:.*\b{name}\b", tests):
                yield f"pass {name}", f"runs in no test in test/passes/{room}"


def ops(root):
    """Every op is printed and parsed again."""
    for table in sorted((root / "dialects").glob("*/*.td")):
        text = table.read_text()
        if not (dialect := re.search(r'Dialect \{\s*let name = "(\w+)"', text_of(table.parent, ".td"))):
            continue
        test = root / "test/dialects" / table.parent.name / "round-trip.mlir"
        tests = test.read_text() if test.exists() else ""
        for name in re.findall(r'def \w+ : (?!class)\w*Op<"([\w.]+)"', text):
            if not re.search(rf"\b{dialect[1]}\.{name}\b", tests):
                yield f"op {dialect[1]}.{name}", f"is not in {test.relative_to(root)}"


# How verifiers, and the converters of ONNX nodes, report.
CALLS = r"(?:[.>]error\(|emitOpError\(\)?(?:\)? ?<< )?|emitError\(\w*\) << |\.unsupported\(|\.invalid\()([^;]*);"


def messages(root):
    """Every sentence of a verifier or converter is expected somewhere: its longest literal part."""
    tests = "".join(text_of(root / "test" / room, ".mlir", ".onnxtxt")
                    for room in ("dialects", "passes", "Importer"))
    for file in sorted([*(root / "dialects").rglob("*.cpp"), *(root / "passes/Import").glob("*.cpp")]):
        text = re.sub(r'"\s*\n\s*"', "", file.read_text())
        for call in re.findall(CALLS, text):
            parts = [p.replace('\\"', '"').strip() for p in re.findall(r'"((?:[^"\\]|\\.)*)"', call)]
            part = max(parts, key=len, default="")
            if len(part) > 3 and part not in tests:
                yield f"message '{part}'", f"of {file.relative_to(root)} is expected in no test"


def codes(root):
    """Every error code is expected somewhere, and documented."""
    tests = text_of(root / "test", ".mlir", ".onnxtxt", ".test", ".cpp", ".c", ".py")
    documents = text_of(root / "docs", ".md")
    documents = re.sub(r"(ADZ0\d{3})((?:, 0\d{3})+)", lambda m: m[1] + m[2].replace(", ", ", ADZ"), documents)
    found = set()
    for folder in SOURCES:
        text = text_of(root / folder, ".cpp", ".h", ".hpp", ".c", ".py", ".td")
        found |= set(re.findall(r"ADZ\d{4}", re.sub(r"//.*|/\*.*?\*/", "", text)))
    for code in sorted(found):
        if code not in tests:
            yield f"code {code}", "is expected in no test"
        if code not in documents:
            yield f"document {code}", "is in no page of docs/"


def main():
    root = pathlib.Path(sys.argv[1])
    exceptions = json.loads((HERE / "exceptions.json").read_text())
    faults = {what: why for check in (passes, ops, messages, codes) for what, why in check(root)}
    for what, why in faults.items():
        if what not in exceptions:
            print(f"FAILED {what} {why}")
    for what in exceptions.keys() - faults.keys():
        print(f"FAILED exceptions.json: {what} is tested now, or gone")
    wrong = faults.keys() ^ exceptions.keys()
    print(f"{len(wrong)} gaps, {len(exceptions)} exceptions")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
