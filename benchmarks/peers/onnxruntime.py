"""ONNX Runtime's CPU provider, with all graph optimisations and bound, preallocated tensors."""

from .interface import Peer, Refused


class Plugin(Peer):
    title = "ONNX Runtime"
    c_host = "onnxruntime_host.c"

    @classmethod
    def about(cls):
        from pathlib import Path

        import onnxruntime

        libraries = sorted(Path(onnxruntime.__file__).parent.glob("capi/libonnxruntime.so*"))
        return {"version": onnxruntime.__version__, "library": str(libraries[0]) if libraries else "", "flags": []}

    def load(self):
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = self.job.threads
        options.inter_op_num_threads = 1
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
        options.log_severity_level = 3
        try:
            self.session = onnxruntime.InferenceSession(self.job.artifact, options, providers=["CPUExecutionProvider"])
        except RuntimeError as error:
            raise Refused(str(error)) from error

    def bind(self, arrays):
        import numpy as np
        import onnxruntime

        self.binding = self.session.io_binding()
        self.held = [onnxruntime.OrtValue.ortvalue_from_numpy(a) for a in arrays]
        for port, value in zip(self.job.inputs, self.held):
            self.binding.bind_ortvalue_input(port["name"], value)
        self.values = [onnxruntime.OrtValue.ortvalue_from_numpy(np.zeros(port["shape"], dtype=port["dtype"]))
                       for port in self.job.outputs]
        for port, value in zip(self.job.outputs, self.values):
            self.binding.bind_ortvalue_output(port["name"], value)

    def run(self):
        self.session.run_with_iobinding(self.binding)

    def outputs(self):
        return [value.numpy() for value in self.values]
