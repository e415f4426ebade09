#!/usr/bin/env python3
"""Rounds over fake workers: ratios come out as the times say, and disturbed, dead or hanging workers are noticed."""

import sys
import unittest

from pairing import Worker, WorkerFailed, interval, measure_rounds, slice_time

# Answers with fixed times; after `lasts` runs it ends.
FAKE = """
import json, sys
nanoseconds, lasts = int(sys.argv[1]), int(sys.argv[2])
print(json.dumps({"load_ns": 5}), flush=True)
for line in sys.stdin:
    count = int(line.split()[1])
    lasts -= count
    if lasts < 0:
        sys.exit("error: it broke")
    print(*[nanoseconds * (3 if i == 0 else 1) for i in range(count)], flush=True)
"""


def fake(milliseconds, lasts=10**9):
    return Worker([sys.executable, "-c", FAKE, int(milliseconds * 1e6), lasts])


class Scales:
    """A calibration that tells prepared values."""

    def __init__(self, values):
        self.values = list(values)

    def scale(self):
        return self.values.pop(0) if len(self.values) > 1 else self.values[0]


class Pairing(unittest.TestCase):
    def workers(self, **table):
        workers = {name: fake(*args) for name, args in table.items()}
        for worker in workers.values():
            self.addCleanup(worker.close)
        return workers

    def test_the_times_of_each_worker_reach_each_round(self):
        rounds, discarded = measure_rounds(self.workers(a=(2.0,), b=(5.0,), c=(1.0,)), 4, 0.1)
        self.assertEqual((len(rounds), discarded), (4, 0))
        for each in rounds:
            self.assertAlmostEqual(each.times["b"] / each.times["a"], 2.5)
            self.assertAlmostEqual(each.times["c"] / each.times["a"], 0.5)

    def test_the_first_run_of_a_part_does_not_count(self):
        worker = self.workers(a=(1.0,))["a"]
        self.assertAlmostEqual(slice_time(worker, 5), 1e-3)
        self.assertAlmostEqual(slice_time(worker, 1), 3e-3)

    def test_disturbed_rounds_are_discarded(self):
        # Before the first round and after each: the second and third rounds touch the 1.4.
        rounds, discarded = measure_rounds(self.workers(a=(1.0,)), 3, 0.005, Scales([2.0, 1.95, 1.4, 1.95]))
        self.assertEqual((len(rounds), discarded), (3, 2))
        self.assertGreaterEqual(min(r.scale for r in rounds), 1.9)

    def test_it_gives_up_when_no_round_is_valid(self):
        rounds, discarded = measure_rounds(self.workers(a=(1.0,)), 2, 0.005, Scales([1.2]), tries=3)
        self.assertEqual((len(rounds), discarded), (0, 6))

    def test_a_worker_that_ends_is_named_with_its_words(self):
        workers = self.workers(good=(1.0,), bad=(1.0, 30))
        with self.assertRaises(WorkerFailed) as caught:
            measure_rounds(workers, 50, 0.005)
        self.assertEqual(caught.exception.worker, "bad")
        self.assertIn("it broke", str(caught.exception))

    def test_a_worker_that_hangs_is_ended(self):
        with self.assertRaisesRegex(WorkerFailed, "did not answer"):
            Worker([sys.executable, "-c", "import time; time.sleep(60)"], patience=0.3)

    def test_a_worker_that_cannot_start_tells_why(self):
        with self.assertRaisesRegex(WorkerFailed, "refused: no such thing"):
            Worker([sys.executable, "-c", "import sys; print('refused: no such thing', file=sys.stderr); sys.exit(1)"])

    def test_words_instead_of_times_are_refused(self):
        worker = Worker([sys.executable, "-c", "print('{}', flush=True); input(); print('fast')"])
        self.addCleanup(worker.close)
        with self.assertRaisesRegex(WorkerFailed, "'fast' instead of times"):
            worker.run(1)


class Interval(unittest.TestCase):
    def test_it_holds_the_median_and_narrows_with_the_spread(self):
        wide, narrow = interval([0.8, 0.9, 1.0, 1.1, 1.2] * 2), interval([0.99, 1.0, 1.0, 1.0, 1.01] * 2)
        for low, high in (wide, narrow):
            self.assertLessEqual(low, 1.0)
            self.assertGreaterEqual(high, 1.0)
        self.assertLess(narrow[1] - narrow[0], wide[1] - wide[0])

    def test_one_outlier_does_not_move_it(self):
        low, high = interval([1.0] * 8 + [50.0])
        self.assertEqual((low, high), (1.0, 1.0))


if __name__ == "__main__":
    unittest.main()
