"""Runs a model with onnxruntime, OpenVINO or IREE for `adze bench --compare` and
`adze verify`. Speaks JSON lines on stdin and stdout: first what to load, then
{"run": N} -> {"ns": [...]} and {"results": true} -> files."""

import json
import os
import subprocess
import sys
import time

# Results go out on the pipe; whatever an engine prints goes to stderr.
pipe = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)


def answer(value):
    pipe.write(json.dumps(value) + "\n")
    pipe.flush()


def load_array(entry):
    import ml_dtypes
    import numpy as np

    array = np.load(entry["file"])
    if array.dtype.kind == "V":
        names = {"float8e4m3fn": "float8_e4m3fn", "float8e4m3fnuz": "float8_e4m3fnuz",
                 "float8e5m2": "float8_e5m2", "float8e5m2fnuz": "float8_e5m2fnuz"}
        array = array.view(getattr(ml_dtypes, names.get(entry["dtype"], entry["dtype"])))
    return array


def expose(path, target):
    """Writes the model with every value that a node gives as an output as well."""
    import onnx

    model = onnx.load(path)
    inferred = onnx.shape_inference.infer_shapes(model, data_prop=True)
    known = {v.name: v for v in inferred.graph.value_info}
    have = {o.name for o in model.graph.output}
    for node in model.graph.node:
        for name in node.output:
            if name and name not in have and name in known:
                model.graph.output.append(known[name])
                have.add(name)
    onnx.save(model, target)
    return target


class OnnxRuntime:
    @staticmethod
    def load():
        import onnxruntime  # noqa: F401

    def __init__(self, request):
        import onnxruntime as ort

        options = ort.SessionOptions()
        options.intra_op_num_threads = request["threads"]
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        if request["exposed"]:  # every value as the model defines it
            options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
        model = request["model"]
        if request["exposed"]:
            model = expose(model, os.path.join(request["folder"], "exposed.onnx"))
        self.session = ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        self.names = [o.name for o in self.session.get_outputs()]
        self.version = ort.__version__

    def run(self, feed):
        return self.session.run(None, feed)


class OpenVino:
    @staticmethod
    def load():
        import openvino  # noqa: F401

    def __init__(self, request):
        import openvino

        core = openvino.Core()
        # Activations stay float32 as well: by itself it quantizes those that meet 8-bit weights.
        settings = {"INFERENCE_NUM_THREADS": request["threads"], "NUM_STREAMS": "1",
                    "INFERENCE_PRECISION_HINT": "f32", "DYNAMIC_QUANTIZATION_GROUP_SIZE": "0"}
        self.request = core.compile_model(request["model"], "CPU", settings).create_infer_request()
        self.names = [o.get_any_name() for o in self.request.model_outputs]
        self.version = openvino.__version__

    def run(self, feed):
        result = self.request.infer(feed, share_inputs=True, share_outputs=True)
        return [result[i] for i in range(len(self.names))]


class Iree:
    """Compiled for this CPU with what IREE calls its highest level; inputs are on
    its device before the clock starts, results are fetched."""

    @staticmethod
    def load():
        import iree.compiler  # noqa: F401
        import iree.runtime  # noqa: F401

    def __init__(self, request):
        import iree.compiler.tools
        import iree.compiler.version
        import iree.runtime as rt
        import onnx

        model = onnx.load(request["model"])
        weights = {t.name for t in model.graph.initializer}
        self.inputs = [i.name for i in model.graph.input if i.name not in weights]
        self.names = [o.name for o in model.graph.output]
        opset = max([o.version for o in model.opset_import if o.domain == ""] + [17])
        text = os.path.join(request["folder"], "model.mlir")
        subprocess.run([sys.executable, "-m", "iree.compiler.tools.import_onnx", request["model"],
                        "-o", text, "--opset-version", str(opset)], check=True,
                       stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        code = os.path.join(request["folder"], "model.vmfb")
        iree.compiler.tools.compile_file(
            text, output_file=code, input_type="onnx", target_backends=["llvm-cpu"],
            extra_args=["--iree-llvmcpu-target-cpu=host", "--iree-opt-level=O3"])
        if request["threads"] > 1:
            rt.flags.parse_flags(f"--task_topology_group_count={request['threads']}")
        config = rt.Config("local-task" if request["threads"] > 1 else "local-sync")
        module = rt.VmModule.mmap(config.vm_instance, code)
        context = rt.SystemContext(config=config)
        context.add_vm_module(module)
        entry = next(n for n in module.function_names if "$" not in n and not n.startswith("__"))
        self.function = context.modules[module.name][entry]
        self.device, self.fed = config.device, None
        self.version = iree.compiler.version.VERSION

    def run(self, feed):
        import iree.runtime as rt
        import numpy as np

        if self.fed is None:
            self.fed = [rt.asdevicearray(self.device, feed[name]) for name in self.inputs]
        values = self.function(*self.fed)
        return [np.asarray(v) for v in (values if isinstance(values, (list, tuple)) else [values])]


ENGINES = {"ort": OnnxRuntime, "openvino": OpenVino, "iree": Iree}


def save(values, names, folder):
    import numpy as np
    import onnx

    rows = []
    for index, (name, value) in enumerate(zip(names, values)):
        path = os.path.join(folder, f"out{index}.npy")
        value = np.asarray(value)
        dtype = onnx.helper.np_dtype_to_tensor_dtype(value.dtype)
        np.save(path, value if value.dtype.kind in "biufc" else value.view(f"V{value.itemsize}"))
        rows.append({"name": name, "dtype": int(dtype), "file": path})
    return rows


def serve():
    request = json.loads(sys.stdin.readline())
    ENGINES[request["engine"]].load()
    try:
        engine = ENGINES[request["engine"]](request)
    except Exception as error:  # the engine is there, but does not take the model
        return answer({"error": said(error), "refused": True})
    feed = {name: load_array(entry) for name, entry in request["inputs"].items()}
    answer({"version": engine.version})
    values = []
    for line in sys.stdin:
        command = json.loads(line)
        if "run" in command:
            times = []
            for _ in range(command["run"]):
                begin = time.perf_counter_ns()
                values = engine.run(feed)
                times.append(time.perf_counter_ns() - begin)
            answer({"ns": times})
        else:
            answer({"outputs": save(values, engine.names, request["folder"])})


def said(error):
    return f"{type(error).__name__}: {' '.join(str(error).split())}"[:300]


try:
    serve()
except Exception as error:  # said to the other side, which reports it
    answer({"error": said(error)})
