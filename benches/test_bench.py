import contextlib
import io
import sys
import tempfile
import unittest
from pathlib import Path

from measure import Broken, Side, check, run, take_turns
from table import Table


def side(name, cpu=(), startup=(0.0,), seen=None, command=("true",)):
    made = Side(name, list(command), ["true"], seen)
    made.samples = [{"cpu_s": seconds, "peak_mb": 1.0} for seconds in cpu]
    made.startups = [{"cpu_s": seconds} for seconds in startup]
    return made


class Verdicts(unittest.TestCase):
    def test_start_up_is_taken_out_on_either_side(self):
        table = Table()
        table.most("x", side("ours", [3.0], [2.0]), side("floor", [1.5], [0.5]), 1.10)
        self.assertAlmostEqual(table.rows[0]["ratio"], 1.0)
        self.assertAlmostEqual(table.rows[0]["ratio_whole_process"], 2.0)
        self.assertTrue(table.rows[0]["reached"])

    def test_each_claim_has_its_own_direction(self):
        cases = [("most", 1.0, 2.0, 1.1, True), ("most", 2.0, 1.0, 1.1, False)]
        cases += [("least", 1.0, 2.0, 1.4, True), ("least", 1.0, 1.3, 1.4, False)]
        for word, ours, other, target, reached in cases:
            with self.subTest(word=word, ours=ours, other=other):
                table = Table()
                getattr(table, word)("x", side("ours", [ours]), side("other", [other]), target)
                self.assertIs(table.rows[0]["reached"], reached)
                self.assertIn("ok" if reached else "MISSED", table.text())

    def test_a_row_without_a_claim_cannot_be_missed(self):
        table = Table()
        table.least("x", side("ours", [2.0]), side("other", [1.0]))
        self.assertEqual(table.missed(), [])

    def test_figures_in_words_stand_beside_each_other(self):
        table = Table()
        table.value("tracks", "other", "0.9 0.8 1", "0.7 0.6 9", "not below", False)
        table.value("cost", "other", "0.03 ms", "3 ms", "<= 0.1 ms", True)
        table.value("shown", "other", "1", "2", None, None)
        lines = table.text().splitlines()
        self.assertEqual([line.split()[-1] for line in lines[1:]], ["MISSED", "ok", "shown"])
        self.assertIn("0.9 0.8 1", lines[1])
        self.assertEqual([row["what"] for row in table.missed()], ["tracks"])

    def test_the_median_of_the_samples_counts(self):
        self.assertEqual(side("x", [9.0, 1.0, 2.0]).cpu(), 2.0)


class SameWork(unittest.TestCase):
    def test_another_pts_is_refused(self):
        for seen in ([0, 1], [0, 1, 3], [0, 1, 2, 3]):
            with self.subTest(seen=seen), self.assertRaises(Broken):
                check("x", side("peer"), [0, 1, 2], seen)
        check("x", side("peer"), [0, 1, 2], [0, 1, 2])

    def test_a_counted_side_may_differ_by_one(self):
        check("x", side("ffmpeg"), [0, 1, 2], 2)
        with self.assertRaises(Broken):
            check("x", side("ffmpeg"), [0, 1, 2], 1)


class Processes(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def test_a_failed_run_gives_no_figure(self):
        with self.assertRaisesRegex(Broken, "ended with 3: no such clip"):
            run(["sh", "-c", "echo no such clip >&2; exit 3"], self.folder / "out")

    def test_cpu_time_is_that_of_the_child(self):
        burn = "t=__import__('time')\nwhile t.process_time()<0.2: pass"
        busy = run([sys.executable, "-c", burn], self.folder / "out")
        idle = run(["true"], self.folder / "out")
        self.assertGreaterEqual(busy["cpu_s"], 0.19)
        self.assertLess(idle["cpu_s"], 0.1)

    def test_sides_take_turns_there_and_back(self):
        order = []
        sides = [side(name, seen=lambda _, name=name: order.append(name) or [0]) for name in "ab"]
        with contextlib.redirect_stdout(io.StringIO()):
            take_turns("x", sides, [0], 2, self.folder)
        self.assertEqual("".join(order), "abba")


if __name__ == "__main__":
    unittest.main()
