"""adze: run ahead-of-time compiled ONNX models.

    import adze
    model = adze.Model("model.adze")
    outputs = model.run({"x": array})     # dict of numpy arrays

A thin layer over the C API (include/adze/adze_rt.h): numpy arrays in and out,
results not copied.
"""

from .errors import (
    AdzeError,
    ArtifactError,
    Cancelled,
    CheckError,
    DeviceError,
    InternalError,
    InvalidInput,
    ResourceError,
    UnsupportedError,
    UsageError,
)
from .device_array import DeviceArray
from .model import Kernel, Model, Pool, TensorInfo
from ._library import runtime_version

__all__ = [
    "AdzeError",
    "ArtifactError",
    "Cancelled",
    "CheckError",
    "DeviceArray",
    "DeviceError",
    "InternalError",
    "InvalidInput",
    "Kernel",
    "Model",
    "Pool",
    "ResourceError",
    "TensorInfo",
    "UnsupportedError",
    "UsageError",
    "runtime_version",
]
