"""Writes TorchScript archives by hand, with inputs and the outputs that NumPy computes. Usage: FOLDER SOURCE_ROOT"""

import os
import sys

import numpy as np

folder, root = sys.argv[1:]
sys.path.insert(0, os.path.join(root, "test", "fuzz"))
from torchscript import Object, Tensor, entries, write  # noqa: E402

os.makedirs(folder, exist_ok=True)
rng = np.random.default_rng(0)


def save(name, array):
    np.save(os.path.join(folder, name + ".npy"), np.array(array, order="C"))


def archive(name, body, parameters, attributes=None, more="", **options):
    """A module M with the method forward."""
    declared = "".join(f"  {key} : {'Tensor' if isinstance(value, Tensor) else type(value).__name__}\n"
                       for key, value in (attributes or {}).items())
    source = (f"class M(Module):\n  __parameters__ = []\n  __buffers__ = []\n{declared}"
              f"  def forward(self: __torch__.M,\n    {parameters}) -> Tensor:\n"
              + "".join(f"    {line}\n" for line in body.strip().split("\n")) + more)
    write(os.path.join(folder, name + ".pt"),
          entries(Object("__torch__.M", **(attributes or {})), {"__torch__": source}, **options))


def tensor(array, **options):
    return Tensor(array.astype(np.float32).ravel().tolist(), array.shape, **options)


# A layer with a weight of more than 1 KiB, and a transposed view of another.
w, v = rng.standard_normal((20, 30)), rng.standard_normal((20, 4))
x = rng.standard_normal((3, 30)).astype(np.float32)
turned = Tensor(v.T.astype(np.float32).ravel().tolist(), [20, 4], strides=[1, 20])
archive("mlp", """
w = self.w
_0 = torch.relu(torch.linear(x, w))
return torch.matmul(_0, self.v)
""", "x: Tensor", {"w": tensor(w), "v": turned})
save("x", x)
save("mlp", np.maximum(x @ w.T.astype(np.float32), 0) @ v.astype(np.float32))

# Lists, loops over known numbers, views that are written, and a function of another file.
source = {"__torch__": '''class M(Module):
  __parameters__ = []
  __buffers__ = []
  n : int
  def forward(self: __torch__.M,
    x: Tensor,
    steps: int=2) -> Tuple[Tensor, Tensor]:
    _0 = annotate(List[Tensor], [])
    y = torch.clone(x)
    for i in range(steps):
      _1 = torch.fill_(torch.select(y, 1, i), torch.mul(i, 10))
      _2 = torch.append(_0, __torch__.helpers.twice(torch.slice(y, 1, 0, 2), ))
    k = 0
    _3 = True
    while _3:
      k0 = torch.add(k, 1)
      _4 = torch.add_(torch.slice(torch.view(y, [-1]), 0, 0, 3), self.n)
      _3, k = torch.lt(k0, 3), k0
    if torch.eq(torch.len(_0), steps):
      z = torch.cat(_0, 1)
    else:
      ops.prim.RaiseException("a list has a wrong length", "builtins.ValueError")
      z = uninitialized(Tensor)
    return (y, z)
''', "__torch__.helpers": '''def twice(x: Tensor) -> Tensor:
  return torch.mul(x, 2)
'''}
write(os.path.join(folder, "static.pt"), entries(Object("__torch__.M", n=7), source))
y = x.copy()
parts = []
for i in range(2):
    y[:, i] = 10 * i
    parts.append(2 * y[:, :2])
y.ravel()[:3] += 21
save("y", y)
save("z", np.concatenate(parts, 1))

# Control flow that depends on data.
archive("dynamic", """
y = torch.clone(x)
if bool(torch.gt(torch.sum(x), 0)):
  _0 = torch.fill_(torch.select(y, 1, 0), 5)
  k = 1
else:
  k = 2
_1 = bool(torch.lt(torch.sum(y), 1000))
n = k
z = y
while _1:
  z0 = torch.mul(z, 2)
  n0 = torch.add(n, 1)
  _1, z, n = bool(torch.lt(torch.sum(z0), 1000)), z0, n0
return (z, n)
""", "x: Tensor")
for sign, name in ((1, "up"), (-1, "down")):
    value = np.abs(x) * sign
    save(name, value)
    z, n = value.copy(), 1 if sign > 0 else 2
    if sign > 0:
        z[:, 0] = 5
    while z.sum() < 1000 and sign > 0:
        z, n = z * 2, n + 1
    save(name + "_z", z)
    save(name + "_n", np.array(n))

# State: an attribute that a run leaves behind.
archive("counter", """
_0 = torch.add(self.total, torch.sum(x))
self.total = _0
return torch.mul(x, _0)
""", "x: Tensor", {"total": tensor(np.array(1.0))})
save("total", np.array(4.0, np.float32))
save("total_after", np.float32(4) + x.sum())
save("counter", x * (np.float32(4) + x.sum()))

# Symbolic sizes: a check of the program becomes a condition of a run.
archive("sizes", """
if torch.ne(torch.size(x, 1), 30):
  ops.prim.RaiseException("30 features are wanted", "builtins.ValueError")
else:
  pass
n = torch.floordiv(torch.mul(torch.size(x, 0), 2), 2)
h = torch.zeros([n])
for i in range(torch.size(x, 0)):
  h = torch.add(h, torch.sum(torch.select(x, 0, i)))
return h
""", "x: Tensor")
save("sizes", np.full(3, x.sum(), np.float32))

# What is refused, each in a line of its own.
archive("unknown_op", "return torch.fft_fft(x)", "x: Tensor")
archive("undefined", "return y", "x: Tensor")
archive("recursion", "return (self).forward(x, )", "x: Tensor")
archive("raises", 'ops.prim.RaiseException("no such mode", "builtins.ValueError")\nreturn x', "x: Tensor")
archive("training", "return torch.dropout(x, 0.5, True)", "x: Tensor")
archive("endless", "_0 = True\nwhile _0:\n  _0 = True\nreturn x", "x: Tensor")
archive("lambda", "y = lambda: x\nreturn y", "x: Tensor")
