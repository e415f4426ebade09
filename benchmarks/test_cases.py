#!/usr/bin/env python3
"""What counts as an answer, and how batches are put together."""

import unittest
from pathlib import Path

import numpy as np

from cases import CLASSES, QUICK, Case, choose, class_of, fix_sizes, gather_batch


def case(reference, argmax=False, errors=None):
    return Case("m", "other", 1, Path("m"), Path("m"), {}, {}, {"y": reference}, {"y": np.dtype("float32")},
                {"y": errors} if errors else {}, {"y": {"name": "y", "slice_axis": None, "argmax": argmax}})


class Answers(unittest.TestCase):
    def setUp(self):
        self.reference = np.random.default_rng(0).standard_normal((4, 100))
        self.value = self.reference.astype(np.float32)

    def test_single_precision_counts(self):
        answer = case(self.reference).check([self.value])
        self.assertTrue(answer.counts and answer.strict)

    def test_an_error_of_winograds_size_counts_but_not_strictly(self):
        answer = case(self.reference).check([self.value + np.float32(5e-5 * np.abs(self.value).max())])
        self.assertTrue(answer.counts)
        self.assertFalse(answer.strict)

    def test_bf16_does_not_count(self):
        low = (self.value.view(np.uint32) & np.uint32(0xFFFF0000)).view(np.float32)
        self.assertFalse(case(self.reference).check([low]).counts)

    def test_half_precision_and_tf32_do_not_count(self):
        self.assertFalse(case(self.reference).check([self.value.astype(np.float16).astype(np.float32)]).counts)
        tf32 = (self.value.view(np.uint32) & np.uint32(0xFFFFE000)).view(np.float32)
        self.assertFalse(case(self.reference).check([tf32]).counts)

    def test_a_wrong_element_nan_or_shape_does_not_count(self):
        wrong = self.value.copy()
        wrong[2, 3] += 0.1
        self.assertFalse(case(self.reference).check([wrong]).counts)
        wrong[2, 3] = np.nan
        self.assertFalse(case(self.reference).check([wrong]).counts)
        self.assertFalse(case(self.reference).check([self.value[:, :50]]).counts)

    def test_another_winner_does_not_count(self):
        reference = np.array([[1000.0, 1.0, 1.0 + 4e-3]])
        near = np.array([[1000.0, 1.0, 1.0]], dtype=np.float32)
        self.assertTrue(case(reference, argmax=True).check([near]).counts)
        reference = np.array([[0.5, 0.500013, -900.0], [1.0, 2.0, 3.0]])
        other = np.array([[0.500013, 0.5, -900.0], [3.0, 2.0, 1.0]], dtype=np.float32)
        self.assertFalse(case(reference, argmax=True).check([other]).counts)

    def test_the_worst_output_decides(self):
        two = case(self.reference)
        two.references["z"] = self.reference
        two.rules["z"] = {"name": "z", "slice_axis": None, "argmax": False}
        answer = two.check([self.value, self.value * np.float32(1.01)])
        self.assertFalse(answer.counts)
        self.assertIn("output z", answer.reason)


class Batches(unittest.TestCase):
    def test_rows_of_like_cases_are_repeated(self):
        cases = [{"x": np.full((1, 3), 1.0), "h": np.full((2, 1, 5), 1.0)},
                 {"x": np.stack([np.full(3, 2.0), np.full(3, 3.0)]), "h": np.concatenate(
                     [np.full((2, 1, 5), 2.0), np.full((2, 1, 5), 3.0)], axis=1)},
                 {"x": np.full((1, 4), 9.0), "h": np.full((2, 1, 5), 9.0)}]
        batch = gather_batch(cases, {"x": 0, "h": 1}, 8)
        self.assertEqual(batch["x"].shape, (8, 3))
        self.assertEqual(batch["h"].shape, (2, 8, 5))
        self.assertEqual(batch["x"][:, 0].tolist(), [1, 2, 3, 1, 2, 3, 1, 2])
        self.assertEqual(batch["h"][1, :, 4].tolist(), batch["x"][:, 0].tolist())

    def test_sizes_are_written_into_the_model(self):
        from onnx import TensorProto, helper

        x = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", 3, "height"])
        y = helper.make_tensor_value_info("y", TensorProto.FLOAT, ["batch", "places"])
        model = helper.make_model(helper.make_graph([], "g", [x], [y]))
        fix_sizes(model, {"batch": 8, "height": 5}, {"y": (8, 77)})
        self.assertEqual([d.dim_value for d in model.graph.input[0].type.tensor_type.shape.dim], [8, 3, 5])
        self.assertEqual([d.dim_value for d in model.graph.output[0].type.tensor_type.shape.dim], [8, 77])


class Choice(unittest.TestCase):
    def setUp(self):
        names = [n for members in CLASSES.values() for n in members]
        self.manifest = {n: {"architecture": n, "symbolic": False} for n in names}
        self.manifest["resnet50-sym"] = {"architecture": "resnet50", "symbolic": True}

    def test_every_class_is_in_a_quick_run(self):
        self.assertEqual({class_of(n) for n in choose(self.manifest, None, True)}, set(CLASSES))
        self.assertEqual(set(choose(self.manifest, None, True)), set(QUICK))

    def test_variants_are_no_models_of_their_own(self):
        self.assertNotIn("resnet50-sym", choose(self.manifest, None, False))

    def test_an_unknown_model_is_refused(self):
        with self.assertRaises(SystemExit):
            choose(self.manifest, ["resnet51"], False)


if __name__ == "__main__":
    unittest.main()
