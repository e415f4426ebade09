"""OpenVINO's CPU plug-in. Its default precision on chips with bf16 units is bf16, so f32 is asked for."""

from .interface import Peer, Refused


class Plugin(Peer):
    title = "OpenVINO"
    c_host = "openvino_host.c"

    @classmethod
    def about(cls):
        from pathlib import Path

        import openvino

        folder = Path(openvino.__file__).parent
        libraries = sorted(folder.glob("libs/libopenvino_c.so*"))
        headers = folder / "include"
        usable = libraries and (headers / "openvino/c/openvino.h").exists()
        return {"version": openvino.__version__.split("-")[0], "library": str(libraries[0]) if usable else "",
                "flags": ["-I", str(headers)]}

    def load(self):
        import openvino

        settings = {"INFERENCE_PRECISION_HINT": "f32", "NUM_STREAMS": "1", "PERFORMANCE_HINT": "LATENCY",
                    "INFERENCE_NUM_THREADS": str(self.job.threads)}
        try:
            self.request = openvino.Core().compile_model(self.job.artifact, "CPU", settings).create_infer_request()
        except RuntimeError as error:
            raise Refused(str(error)) from error

    def bind(self, arrays):
        import numpy as np
        import openvino

        self.values = [np.zeros(port["shape"], dtype=port["dtype"]) for port in self.job.outputs]
        self.held = [openvino.Tensor(a, shared_memory=True) for a in (*arrays, *self.values)]
        for port, tensor in zip((*self.job.inputs, *self.job.outputs), self.held):
            self.request.set_tensor(port["name"], tensor)

    def run(self):
        self.request.infer()

    def outputs(self):
        return self.values
