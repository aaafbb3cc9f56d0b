#!/usr/bin/env python3
"""Writes ONNX's node cases (those of the pinned onnx package) as files:
DIR/<case>/model.onnx and DIR/<case>/test_data_set_N/{input_M,output_M}.pb.

  test/conformance/generate.py DIR        nothing is done when DIR is up to date
"""

import pathlib
import shutil
import sys

import onnx
from onnx import helper, numpy_helper
from onnx.backend.test.case.node import collect_testcases


def proto_of(value, info):
    """A value of a case as ONNX's runner stores it."""
    if isinstance(value, (onnx.TensorProto, onnx.SequenceProto, onnx.OptionalProto)):
        return value
    kind = info.type.WhichOneof("value")
    if kind == "sequence_type":
        return numpy_helper.from_list(value, info.name)
    if kind == "optional_type":
        return numpy_helper.from_optional(value, info.name)
    if kind == "map_type":
        return numpy_helper.from_dict(value, info.name)
    tensor = numpy_helper.from_array(value, info.name)
    return tensor


def write_case(case, folder):
    folder.mkdir()
    (folder / "model.onnx").write_bytes(case.model.SerializeToString(deterministic=True))
    graph = case.model.graph
    for number, (inputs, outputs) in enumerate(case.data_sets):
        data = folder / f"test_data_set_{number}"
        data.mkdir()
        for kind, values, infos in (("input", inputs, graph.input), ("output", outputs, graph.output)):
            for index, value in enumerate(values):
                proto = proto_of(value, infos[index])
                (data / f"{kind}_{index}.pb").write_bytes(proto.SerializeToString(deterministic=True))


def main():
    target = pathlib.Path(sys.argv[1])
    stamp = target / ".stamp"
    if stamp.exists() and stamp.read_text() == onnx.__version__:
        return
    partial = target.with_name(target.name + ".part")
    for old in (target, partial):
        shutil.rmtree(old, ignore_errors=True)
    partial.mkdir(parents=True)
    cases = collect_testcases(None)
    for case in cases:
        write_case(case, partial / case.name)
    (partial / ".stamp").write_text(onnx.__version__)
    partial.rename(target)
    print(f"  {len(cases)} node cases in {target}")


if __name__ == "__main__":
    main()
