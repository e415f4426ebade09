#!/usr/bin/env python3
"""Writes what digits_host.c needs: scikit-learn's digits as a flat file, and an untrained network as an ONNX model.

    digits_data.py FOLDER        makes FOLDER/digits.bin and FOLDER/digits.onnx

Four fifths of the 1797 images are for training; the split and the weights follow from fixed seeds.
"""

import os
import struct
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from sklearn.datasets import load_digits

HIDDEN = 128


def write_data(path):
    digits = load_digits()
    order = np.random.default_rng(0).permutation(len(digits.target))
    images = (digits.data[order] / 16).astype("<f4")
    labels = digits.target[order].astype("<i8")
    train = len(labels) * 4 // 5
    with open(path, "wb") as file:
        file.write(b"TDG1" + struct.pack("<4i", train, len(labels) - train, images.shape[1], 10))
        file.write(images.tobytes())
        file.write(labels.tobytes())


def write_model(path):
    random = np.random.default_rng(1)
    initializers = []
    for name, outputs, inputs in (("fc1", HIDDEN, 64), ("fc2", 10, HIDDEN)):
        bound = 1 / np.sqrt(inputs)
        for part, shape in (("weight", (outputs, inputs)), ("bias", (outputs,))):
            values = random.uniform(-bound, bound, shape).astype(np.float32)
            initializers.append(numpy_helper.from_array(values, "%s.%s" % (name, part)))
    nodes = [helper.make_node("Gemm", ["image", "fc1.weight", "fc1.bias"], ["sum"], "fc1", transB=1),
             helper.make_node("Relu", ["sum"], ["hidden"], "relu"),
             helper.make_node("Gemm", ["hidden", "fc2.weight", "fc2.bias"], ["logits"], "fc2", transB=1)]
    graph = helper.make_graph(nodes, "digits",
                              [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["batch", 64])],
                              [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", 10])], initializers)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), path)


def main():
    if len(sys.argv) != 2:
        print(__doc__)
        return 2
    folder = sys.argv[1]
    os.makedirs(folder, exist_ok=True)
    write_data(os.path.join(folder, "digits.bin"))
    write_model(os.path.join(folder, "digits.onnx"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
