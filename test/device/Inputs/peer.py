"""peer.py MODEL DIR: what torch_peer.py writes of a model at its own shapes, and whether it can."""

import pathlib
import sys

import numpy as np
import onnx

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import torch_peer

source, folder = sys.argv[1], pathlib.Path(sys.argv[2])
feed = {i.name: np.ones([d.dim_value for d in i.type.tensor_type.shape.dim], np.float32) for i in onnx.load(source).graph.input}
print(torch_peer.export(source, feed, folder))
if (folder / "graph.json").exists():
    print(torch_peer.Writer(*torch_peer.read_graph(folder)).source())
