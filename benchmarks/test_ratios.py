#!/usr/bin/env python3
"""Best peers, means with intervals, losses and floors."""

import unittest

import ratios
from measure import OURS, PYTHON, make_row
from pairing import Round
from sample_report import row


class Ratios(unittest.TestCase):
    def setUp(self):
        self.rows = [row("resnet50", "convolution", {"onnxruntime": 1.2, "openvino": 1.1}),
                     row("lenet", "small and recurrent", {"onnxruntime": 1.6, "openvino": 4.0}),
                     row("resnet50", "convolution", {"onnxruntime": 0.9}, threads=2)]

    def test_the_best_peer_is_the_one_nearest_to_us(self):
        self.assertEqual([ratios.best_peer(r) for r in self.rows], ["openvino", "onnxruntime", "onnxruntime"])

    def test_an_older_build_of_ours_is_no_peer(self):
        self.assertEqual(ratios.best_peer(row("m", "other", {"previous": 0.5, "openvino": 2.0})), "openvino")
        self.assertIsNone(ratios.best_peer(row("m", "other", {"previous": 0.5})))

    def test_means_are_geometric_and_by_class(self):
        means = {(m["batch"], m["threads"], m["class"], m["peer"]): m
                 for m in ratios.means(self.rows, ["onnxruntime", "openvino"])}
        both = means[1, 1, ratios.ALL, ratios.BEST]
        self.assertAlmostEqual(both["mean"], (1.1 * 1.6) ** 0.5)
        self.assertLess(both["low"], both["mean"])
        self.assertGreater(both["high"], both["mean"])
        self.assertAlmostEqual(means[1, 1, "convolution", "onnxruntime"]["mean"], 1.2)
        self.assertEqual(means[1, 1, ratios.ALL, "openvino"]["models"], 2)
        self.assertNotIn((1, 2, ratios.ALL, "openvino"), means)

    def test_a_loss_needs_the_whole_interval(self):
        self.assertEqual([r["threads"] for r in ratios.losses(self.rows)], [2])
        self.assertEqual(ratios.losses([row("m", "other", {"openvino": 0.96})]), [])

    def test_floors(self):
        report = {"rows": self.rows, "means": ratios.means(self.rows, ["onnxruntime"])}
        self.assertEqual(ratios.below_floor(report, 0.8, 0.5), [])
        self.assertIn("2 threads", ratios.below_floor(report, 1.0, None)[0])
        self.assertEqual(len(ratios.below_floor(report, 2.0, 1.15)), 4)


class Rows(unittest.TestCase):
    def test_a_python_peer_is_divided_by_our_python_time(self):
        case = type("Case", (), {"name": "m", "group": "other", "batch": 1})
        sides = {OURS: {"host": "c"}, OURS + PYTHON: {"host": "python"}, "slow": {"host": "python"}, "c": {"host": "c"}}
        rounds = [Round({OURS: 1.0, OURS + PYTHON: 2.0, "slow": 6.0, "c": 1.5}, 2.0)] * 3
        made = make_row(case, 1, sides, rounds, 0, {})
        self.assertAlmostEqual(made["ratios"]["slow"]["ratio"], 3.0)
        self.assertAlmostEqual(made["ratios"]["c"]["ratio"], 1.5)
        self.assertNotIn(OURS + PYTHON, made["ratios"])

    def test_the_ratio_is_taken_round_by_round(self):
        case = type("Case", (), {"name": "m", "group": "other", "batch": 1})
        # The machine slows down threefold; in each round the peer takes twice our time.
        rounds = [Round({OURS: t, "peer": 2 * t}, 2.0) for t in (1.0, 1.0, 3.0, 3.0, 3.0)]
        ratio = make_row(case, 1, {OURS: {"host": "c"}, "peer": {"host": "c"}}, rounds, 0, {})["ratios"]["peer"]
        self.assertEqual((ratio["ratio"], ratio["low"], ratio["high"]), (2.0, 2.0, 2.0))


if __name__ == "__main__":
    unittest.main()
