"""torsh.compile, torsh.compile_train_step and the gradients: run the torshc program and load what it wrote."""

import os
import shutil
import subprocess
import tempfile

from ._errors import Error
from ._module import Module
from ._train import TrainStep


def _find_compiler():
    """$TORSHC, else bin/torshc of the build tree or installation that holds this package, else the one in PATH."""
    given = os.environ.get("TORSHC")
    if given:
        return given
    here = os.path.dirname(os.path.abspath(__file__))
    beside = os.path.join(os.path.dirname(os.path.dirname(here)), "bin", "torshc")
    found = beside if os.access(beside, os.X_OK) else shutil.which("torshc")
    if not found:
        raise Error("the compiler torshc is neither at %s nor in PATH; build it, or set TORSHC to its path" % beside)
    return found


def _run_compiler(path_or_bytes, flags):
    """Runs torshc in a folder of its own and returns the artifact's path and the folder, which is the caller's."""
    compiler = _find_compiler()
    folder = tempfile.mkdtemp(prefix="torsh-")
    try:
        if isinstance(path_or_bytes, (bytes, bytearray, memoryview)):
            model = os.path.join(folder, "model.onnx")
            with open(model, "wb") as file:
                file.write(path_or_bytes)
        else:
            model = os.path.abspath(os.fspath(path_or_bytes))
        artifact = os.path.join(folder, "model.so")
        command = [compiler, model, "-o", artifact] + flags
        try:
            done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        except OSError as error:
            raise Error("the compiler %s cannot be run: %s" % (compiler, error)) from None
        if done.returncode:
            text = done.stderr.decode(errors="replace").strip() or done.stdout.decode(errors="replace").strip()
            raise Error(text or "%s ended with code %d and no message" % (compiler, done.returncode),
                        status=-abs(done.returncode))
        return artifact, folder
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def _dim_flags(dims):
    flags = []
    for name, size in (dims or {}).items():
        flags += ["--dim", "%s=%d" % (name, size)]
    return flags


def compile(path_or_bytes, *, dims=None, opt_level=3, target_cpu="host", threads=None, exact_conv=False,
            precision="f32", emulate_bf16_dot=False):
    """Compiles an ONNX model, given as a path or as the bytes of one, and loads the result.

    dims        sizes for symbolic dims by name, for example {"batch": 1}; the others stay symbolic
    opt_level   0 to 3
    target_cpu  "host" for this machine, "portable" or the name of a CPU or level as torshc --target-cpu takes it
    threads     None for the processors this process may use
    exact_conv  convolutions as direct sums only, without Winograd's transforms and their rounding
    precision   "f32", or "bf16": the weights of matrix products and convolutions are stored as bf16, and on a CPU with
                AVX512-BF16 their products are of bf16
    emulate_bf16_dot  with precision="bf16": products of bf16 on any CPU, for tests; slow
    """
    flags = ["-O%d" % opt_level, "--target-cpu", target_cpu]
    if precision != "f32":
        flags += ["--precision", precision]
    if emulate_bf16_dot:
        flags.append("--emulate-bf16-dot")
    if exact_conv:
        flags.append("--exact-conv")
    artifact, folder = _run_compiler(path_or_bytes, flags + _dim_flags(dims))
    return _load_own(Module, artifact, threads, folder)


def _load_own(kind, artifact, threads, folder):
    try:
        return kind(artifact, threads, folder)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def compile_train_step(path_or_bytes, *, loss="cross-entropy", optimizer="sgd", dims=None, opt_level=3,
                       target_cpu="host", threads=None, **settings):
    """Compiles one step of the training of an ONNX model, and loads it as a TrainStep.

    loss        "cross-entropy" of logits, or "mse"
    optimizer   "sgd", "adam" or "adamw"
    settings    of the optimizer, as the flags of torshc --train-step: momentum, nesterov, weight_decay, beta1, beta2,
                epsilon; and freeze, a list of names of parameters that are not learned
    The other arguments are those of compile.
    """
    flags = ["-O%d" % opt_level, "--target-cpu", target_cpu, "--train-step", "--loss", loss, "--optimizer", optimizer]
    for name, value in settings.items():
        flag = "--" + name.replace("_", "-")
        if isinstance(value, bool):
            flags += [flag] if value else []
        else:
            for one in value if isinstance(value, (list, tuple)) else [value]:
                flags += [flag, str(one)]
    artifact, folder = _run_compiler(path_or_bytes, flags + _dim_flags(dims))
    return _load_own(TrainStep, artifact, threads, folder)


def value_and_grad(path_or_bytes, *, wrt=None, dims=None, opt_level=3, target_cpu="host", threads=None):
    """Compiles a model whose one output of floats is a number together with its gradients, and loads the result.

    wrt     names of the inputs to differentiate by; None for all of floats
    Returns a Module. Called with the model's inputs it returns the model's outputs, then the gradient of each of `wrt`,
    of that input's shape. The other arguments are those of compile.
    """
    flags = ["-O%d" % opt_level, "--target-cpu", target_cpu, "--gradient", "value-and-grad"]
    for name in wrt or []:
        flags += ["--wrt", name]
    artifact, folder = _run_compiler(path_or_bytes, flags + _dim_flags(dims))
    return _load_own(Module, artifact, threads, folder)


def grad(path_or_bytes, **settings):
    """As value_and_grad, but returns a function that gives the gradients alone: one array, or a tuple of them."""
    module = value_and_grad(path_or_bytes, **settings)
    first = next(i for i, port in enumerate(module.outputs) if port.name.startswith("grad_"))

    def gradients(*inputs):
        found = module(*inputs)[first:]
        return found[0] if len(found) == 1 else tuple(found)

    return gradients
