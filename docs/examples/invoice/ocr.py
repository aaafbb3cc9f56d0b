#!/usr/bin/env python3
"""Reads an invoice with three models compiled by adze: one finds the lines of
text, one tells which stand upside down, one reads them.

  python docs/examples/invoice/ocr.py [IMAGE] [--models DIR] [--adze PROGRAM]
                                      [--backend adze|ort] [--threads N] [--json]

The models are PP-OCRv4's, as test/models/fetch.py brings them. Without IMAGE it
reads the sample beside this script and says how much of it was right. The same
with onnxruntime: --backend ort."""

import argparse
import json
import os
import pathlib
import shlex
import subprocess
import sys
import time

import numpy as np
from PIL import Image

import detection

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent.parent
NAMES = {"detect": "ppocrv4-det", "turn": "ppocr-cls-v2", "read": "ppocrv4-rec"}


class Stopwatch:
    """Seconds of each stage, in order."""

    def __init__(self):
        self.stages = {}

    def measure(self, name, function, *args):
        begin = time.perf_counter()
        result = function(*args)
        self.stages[name] = self.stages.get(name, 0) + time.perf_counter() - begin
        return result


# ---- models -----------------------------------------------------------------


def load_with_adze(args, say):
    """Compiles each model (no shapes given: one artifact takes every size), then
    opens it through the Python package."""
    sys.path.insert(0, str(args.python))
    import adze

    models = {}
    args.artifacts.mkdir(parents=True, exist_ok=True)
    for role, name in NAMES.items():
        source, artifact = args.models / f"{name}.onnx", args.artifacts / f"{name}.adze"
        command = [str(args.adze), "compile", str(source), "-o", str(artifact)]
        say("$ " + shlex.join([os.path.relpath(c) if os.path.isabs(c) else c for c in command]))
        subprocess.run(command, check=True)
        model = adze.Model(str(artifact), threads=args.threads)
        models[role] = (lambda m: lambda x: next(iter(m.run({m.inputs[0].name: x}).values())))(model)
        if role == "read":
            alphabet = model.metadata["character"]
    return models, alphabet


def load_with_onnxruntime(args, say):
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = args.threads
    models = {}
    for role, name in NAMES.items():
        session = onnxruntime.InferenceSession(str(args.models / f"{name}.onnx"), options,
                                               providers=["CPUExecutionProvider"])
        key = session.get_inputs()[0].name
        models[role] = (lambda s, k: lambda x: s.run(None, {k: x})[0])(session, key)
        if role == "read":
            alphabet = session.get_modelmeta().custom_metadata_map["character"]
    return models, alphabet


# ---- the three stages -------------------------------------------------------


def planes(image, mean, deviation):
    """Pixels as 3 x height x width in BGR order, as the models were trained."""
    pixels = np.asarray(image, np.float32)[:, :, ::-1] / 255
    pixels = (pixels - np.float32(mean)) / np.float32(deviation)
    return np.ascontiguousarray(pixels.transpose(2, 0, 1))


def detector_input(image, least_side=736):
    """The image at sides that are multiples of 32, the shorter at least 736."""
    scale = max(1.0, least_side / min(image.size))
    size = [max(32, round(side * scale / 32) * 32) for side in image.size]
    resized = image.resize(size, Image.Resampling.BILINEAR)
    return planes(resized, [0.485, 0.456, 0.406], [0.229, 0.224, 0.225])[None]


def find_lines(probability, image):
    """Boxes of text in the image's own pixels, in reading order."""
    height, width = probability.shape
    found = detection.boxes(probability)
    for box in found:
        box["corners"] = box["corners"] * [image.width / width, image.height / height]
    return detection.reading_order(found)


def cut(image, corners):
    """The box, upright: the long side lies horizontally."""
    width = max(1, round(np.linalg.norm(corners[1] - corners[0])))
    height = max(1, round(np.linalg.norm(corners[3] - corners[0])))
    quad = corners[[0, 3, 2, 1]].ravel().tolist()
    patch = image.transform((width, height), Image.Transform.QUAD, quad, Image.Resampling.BICUBIC)
    return patch.rotate(90, expand=True) if height >= 1.5 * width else patch


def strip(patches, width):
    """Patches at 48 pixels high in one batch, padded to the right."""
    batch = np.zeros((len(patches), 3, 48, width), np.float32)
    for row, patch in zip(batch, patches):
        fit = min(width, max(1, round(48 * patch.width / patch.height)))
        row[:, :, :fit] = planes(patch.resize((fit, 48), Image.Resampling.BILINEAR), 0.5, 0.5)
    return batch


def turn_upright(patches, model):
    """Turns what the classifier takes to stand upside down (class 1)."""
    shares = model(strip(patches, 192))
    turned = shares[:, 1] > 0.9
    return [p.rotate(180) if t else p for p, t in zip(patches, turned)], turned


def decode(shares, alphabet):
    """CTC, greedily: repeated symbols once, blanks (0) dropped. Text and the mean
    share of the symbols kept."""
    best = shares.argmax(-1)
    kept = np.flatnonzero((best != 0) & (best != np.roll(best, 1) * (np.arange(len(best)) > 0)))
    if not len(kept):
        return "", 0.0
    return "".join(alphabet[best[i]] for i in kept), float(shares[kept, best[kept]].mean())


def read_lines(patches, model, alphabet, batch=6):
    """Lines of about one width go together."""
    order = sorted(range(len(patches)), key=lambda i: patches[i].width / patches[i].height)
    result = [None] * len(patches)
    for first in range(0, len(order), batch):
        group = [patches[i] for i in order[first : first + batch]]
        ratio = max(320 / 48, max(p.width / p.height for p in group))
        for index, shares in zip(order[first : first + batch], model(strip(group, int(np.ceil(48 * ratio))))):
            result[index] = decode(shares, alphabet)
    return result


# ---- what came of it --------------------------------------------------------


def edit_distance(a, b):
    """Levenshtein's: insertions, deletions and changes that make b of a."""
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        diagonal, row[0] = row[0], i
        for j, y in enumerate(b, 1):
            diagonal, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, diagonal + (x != y))
    return row[-1]


def share_right(lines, truth):
    """Share of the characters right: every true line against what was read at its
    place. Spaces are not counted: the model was trained to leave most out."""
    squeeze = lambda text: "".join(text.split())
    errors = total = 0
    taken = set()
    for line in truth:
        left, top, right, bottom = line["box"]
        inside = [i for i, l in enumerate(lines)
                  if top <= l["middle"][1] <= bottom and left <= l["middle"][0] <= right]
        taken.update(inside)
        read = squeeze("".join(lines[i]["text"] for i in inside))
        errors += edit_distance(read, squeeze(line["text"]))
        total += len(squeeze(line["text"]))
    errors += sum(len(squeeze(l["text"])) for i, l in enumerate(lines) if i not in taken)
    return max(0.0, 1 - errors / total)


def recognise(image, models, alphabet, watch):
    symbols = [""] + alphabet.split("\n") + [" "]
    pixels = watch.measure("prepare the image", detector_input, image)
    probability = watch.measure("detect (model)", models["detect"], pixels)[0, 0]
    found = watch.measure("boxes from the map", find_lines, probability, image)
    patches = watch.measure("cut the lines", lambda: [cut(image, b["corners"]) for b in found])
    if not patches:
        return []
    patches, turned = watch.measure("turn upright (model)", turn_upright, patches, models["turn"])
    texts = watch.measure("read (model)", read_lines, patches, models["read"], symbols)
    return [{"text": text, "confidence": confidence, "turned": bool(t), "score": box["score"],
             "middle": box["corners"].mean(0).tolist()}
            for (text, confidence), t, box in zip(texts, turned, found) if text]


def report(lines, watch, right):
    for line in lines:
        mark = "  (was upside down)" if line["turned"] else ""
        print(f"  {line['confidence']:.3f}  {line['text']}{mark}")
    print()
    for name, seconds in watch.stages.items():
        print(f"  {name:24} {seconds * 1e3:9.1f} ms")
    if right is not None:
        print(f"\n{len(lines)} lines, {100 * right:.2f} % of the characters right (spaces not counted)")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("image", nargs="?", type=pathlib.Path)
    parser.add_argument("--models", type=pathlib.Path, default=ROOT / ".adze/models")
    parser.add_argument("--artifacts", type=pathlib.Path, default=ROOT / "build/invoice")
    parser.add_argument("--adze", type=pathlib.Path, default=ROOT / "build/tools/adze/adze")
    parser.add_argument("--python", type=pathlib.Path, default=ROOT / "python",
                        help="folder of the adze package")
    parser.add_argument("--backend", choices=["adze", "ort"], default="adze")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--least", type=float, help="fail when a smaller share of the sample is right")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    sample = HERE / "invoice.png"
    say = (lambda text: print(text, file=sys.stderr, flush=True)) if args.json else lambda t: print(t, flush=True)

    watch = Stopwatch()
    load = load_with_adze if args.backend == "adze" else load_with_onnxruntime
    models, alphabet = watch.measure("compile and load", load, args, say)
    image = Image.open(args.image or sample).convert("RGB")
    lines = recognise(image, models, alphabet, watch)
    truth = None if args.image else json.loads((HERE / "invoice.json").read_text())
    right = share_right(lines, truth) if truth else None
    if args.json:
        print(json.dumps({"lines": lines, "seconds": watch.stages, "share_right": right}))
    else:
        report(lines, watch, right)
    if args.least is not None and (right is None or right < args.least):
        raise SystemExit(f"error: {right} of the characters right, {args.least} wanted")


if __name__ == "__main__":
    main()
