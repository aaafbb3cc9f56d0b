"""verbs.py FOLDER: for every verb that `adze --help` lists, its help, its result
as JSON, and a usage error as JSON."""
import json
import pathlib
import re
import subprocess
import sys

folder = pathlib.Path(sys.argv[1])
model, artifact = folder / "cases/right/model.onnx", folder / "m.adze"
kernel = folder / "kernel.ptx"
kernel.write_text(".entry k() { ret; }")
ARGUMENTS = {
    "compile": [model, "-o", artifact], "run": [artifact], "inspect": [artifact],
    "bench": [artifact, "--duration", "0.05", "--warmup", "0"],
    "explain": [artifact, "--iterations", "2"],
    "tune": [model, "--budget", "1s", "--db", folder / "tune.db"],
    "verify": [artifact, "--against", model], "ops": [],
    "plan-memory": [folder / "buffers.csv"], "targets": [], "doctor": [],
    "conformance": [folder / "cases"], "emulate": [kernel, "--block", "32"],
}


def adze(*arguments):
    done = subprocess.run(["adze", *map(str, arguments)], capture_output=True, text=True)
    return done.returncode, done.stdout, done.stderr


listed = re.search(r"Subcommands:\n(.*?)\n\n", adze("--help")[1], re.S)[1]
verbs = [v for v in re.findall(r"^  ([\w-]+)", listed, re.M) if v != "completion"]
for verb in verbs:
    code, text, _ = adze(verb, "--help")
    assert code == 0 and f"Examples:\n  adze {verb}" in text, text
    code, text, messages = adze(verb, *ARGUMENTS[verb], "--json")
    assert code == 0 and len(text.splitlines()) == 1, (verb, code, text, messages)
    json.loads(text)
    code, text, messages = adze(verb, "--diagnostics", "json", "--nonsense")
    assert code == 2 and not text, (verb, code, text)
    assert json.loads(messages)["diagnostics"][0]["code"] == "ADZ0800", messages
    print(f"{verb}: help, JSON and messages")
print(len(verbs), "verbs")
