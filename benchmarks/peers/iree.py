"""IREE's CPU back end: imported from ONNX and compiled for this processor."""

import subprocess
import sys
from pathlib import Path

from .interface import Peer, Refused

SECONDS = 900
STACK_BYTES = 1 << 18  # the default refuses some transformers


def _call(*command):
    try:
        done = subprocess.run([str(c) for c in command], capture_output=True, text=True, timeout=SECONDS)
    except subprocess.TimeoutExpired:
        raise Refused(f"{Path(command[0]).name} took more than {SECONDS} s") from None
    if done.returncode:
        lines = [line.strip() for line in done.stderr.splitlines() if "error" in line.lower()]
        raise Refused(f"{Path(command[0]).name}: {lines[0][:300] if lines else f'code {done.returncode}'}")


class Plugin(Peer):
    title = "IREE"
    prepares = True

    @classmethod
    def about(cls):
        import importlib.metadata

        import iree.compiler  # noqa: F401
        import iree.runtime  # noqa: F401

        return {"version": importlib.metadata.version("iree-base-compiler")}

    def prepare(self):
        tools = Path(sys.executable).parent
        work = Path(self.job.work)
        imported, artifact = work / f"{self.job.name}.iree.mlir", work / f"{self.job.name}.vmfb"
        _call(tools / "iree-import-onnx", self.job.model, "--opset-version", "17", "-o", imported)
        try:
            _call(tools / "iree-compile", imported, "--iree-hal-target-device=local",
                  "--iree-hal-local-target-device-backends=llvm-cpu", "--iree-llvmcpu-target-cpu=host",
                  "--iree-opt-level=O3", f"--iree-llvmcpu-stack-allocation-limit={STACK_BYTES}", "-o", artifact)
        finally:
            imported.unlink(missing_ok=True)
        return str(artifact)

    def load(self):
        import iree.runtime as runtime

        if self.job.threads == 1:
            driver = "local-sync"
        else:
            driver = "local-task"
            runtime.flags.parse_flags(f"--task_topology_group_count={self.job.threads}")
        config = runtime.Config(driver)
        self.device = config.device
        module = runtime.VmModule.mmap(config.vm_instance, self.job.artifact)
        self.context = runtime.SystemContext(vm_modules=[module], config=config)
        functions = [name for name in module.function_names if not name.startswith("__") and "$async" not in name]
        self.function = self.context.modules[module.name][functions[0]]

    def bind(self, arrays):
        import iree.runtime as runtime

        self.arrays = [runtime.asdevicearray(self.device, a) for a in arrays]

    def run(self):
        values = self.function(*self.arrays)
        self.values = values if isinstance(values, (tuple, list)) else (values,)
        self.values[0].to_host()  # waits until the device is done

    def outputs(self):
        return [v.to_host() for v in self.values]
