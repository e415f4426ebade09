"""ncnn, through pnnx. It has no batch dimension, and stores weights in half precision unless told not to."""

import re
import subprocess
from pathlib import Path

from .interface import Peer, Refused

SECONDS = 600
# pnnx's names of element types.
TYPES = {"float32": "f32", "float64": "f64", "int32": "i32", "int64": "i64"}


def _in_order(names):
    """pnnx names ports in0, in1.., out0, out1..; ncnn lists them as it meets them."""
    return sorted(names, key=lambda name: int(re.sub(r"\D", "", name) or 0))


class Plugin(Peer):
    title = "ncnn"
    prepares = True

    @classmethod
    def about(cls):
        import importlib.metadata
        import importlib.util

        import ncnn

        if importlib.util.find_spec("pnnx") is None:
            raise ImportError("pnnx, which converts models for ncnn, is not installed")
        return {"version": f"{ncnn.__version__} (pnnx {importlib.metadata.version('pnnx')})"}

    def _files(self):
        base = Path(self.job.work) / f"{self.job.name}.ncnn"
        return base.with_name(base.name + ".param"), base.with_name(base.name + ".bin")

    def prepare(self):
        import importlib.util

        if self.job.batch != 1:
            raise Refused("ncnn has no batch dimension")
        unknown = [p["dtype"] for p in self.job.inputs if p["dtype"] not in TYPES]
        if unknown:
            raise Refused(f"pnnx has no input of type {unknown[0]}")
        program = Path(importlib.util.find_spec("pnnx").submodule_search_locations[0]) / "pnnx"
        param, weights = self._files()
        shapes = ",".join("[" + ",".join(map(str, p["shape"])) + "]" + TYPES[p["dtype"]] for p in self.job.inputs)
        base = str(param)[:-len(".ncnn.param")]
        command = [str(program), self.job.model, f"inputshape={shapes}", "fp16=0", f"ncnnparam={param}",
                   f"ncnnbin={weights}", f"ncnnpy={base}_ncnn.py", f"pnnxparam={base}.pnnx.param",
                   f"pnnxbin={base}.pnnx.bin", f"pnnxpy={base}_pnnx.py", f"pnnxonnx={base}.pnnx.onnx"]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, cwd=self.job.work)
        except subprocess.TimeoutExpired:
            raise Refused(f"pnnx took more than {SECONDS} s") from None
        finally:
            for left in (f"{base}_ncnn.py", f"{base}_pnnx.py", f"{base}.pnnx.param", f"{base}.pnnx.bin",
                         f"{base}.pnnx.onnx"):
                Path(left).unlink(missing_ok=True)
        if done.returncode or not param.exists():
            how = f"signal {-done.returncode}" if done.returncode < 0 else f"code {done.returncode}"
            raise Refused(f"pnnx cannot convert it ({how})")
        # Layers that pnnx could not express keep the name of their operator, which ncnn does not know.
        kinds = [line.split()[0] for line in param.read_text().splitlines()[2:] if line.split()]
        foreign = sorted({k for k in kinds if "." in k or "::" in k})
        if foreign:
            raise Refused(f"pnnx left operators that ncnn has not: {', '.join(foreign)}")
        return str(param)

    def shipped(self):
        return [str(f) for f in self._files()]

    def load(self):
        import ncnn

        param, weights = self._files()
        self.net = ncnn.Net()
        options = self.net.opt
        options.num_threads = self.job.threads
        options.use_vulkan_compute = False
        options.use_fp16_packed = options.use_fp16_storage = options.use_fp16_arithmetic = False
        options.use_bf16_storage = options.use_bf16_packed = False
        if self.net.load_param(str(param)) or self.net.load_model(str(weights)):
            raise Refused("ncnn cannot load what pnnx made")
        if len(self.net.output_names()) != len(self.job.outputs):
            raise Refused(f"after conversion it has {len(self.net.output_names())} outputs instead of "
                          f"{len(self.job.outputs)}")

    def bind(self, arrays):
        import ncnn
        import numpy as np

        self.mats = []
        for array in arrays:
            if array.dtype == np.int64:
                array = array.astype(np.int32)
            # The batch of one is the first dimension of that size; ncnn has none.
            if array.ndim > 1 and 1 in array.shape:
                array = array.squeeze(array.shape.index(1))
            self.mats.append(ncnn.Mat(np.ascontiguousarray(array)).clone())

    def run(self):
        extractor = self.net.create_extractor()
        for name, mat in zip(_in_order(self.net.input_names()), self.mats):
            if extractor.input(name, mat):
                raise Refused(f"ncnn refuses the input {name}")
        self.values = []
        for name in _in_order(self.net.output_names()):
            code, mat = extractor.extract(name)
            if code:
                raise Refused(f"ncnn's run failed with code {code}")
            self.values.append(mat)

    def outputs(self):
        import numpy as np

        arrays = [np.array(v) for v in self.values]
        wrong = [(a.shape, p["shape"]) for a, p in zip(arrays, self.job.outputs) if a.size != np.prod(p["shape"])]
        if wrong:
            raise Refused(f"an output has shape {wrong[0][0]} where {wrong[0][1]} (batch included) is right")
        return [a.reshape(p["shape"]).astype(p["dtype"]) for a, p in zip(arrays, self.job.outputs)]
