"""Builders: weights as a package publishes them -> an ONNX model."""
