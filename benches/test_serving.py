import copy
import unittest

import serving
import soaking
from table import Table

FOUND = {
    "few": {
        "streams": 4, "seconds": 20.0,
        "sides": {"ours": {"cpu_s": 1.2, "pictures": 80}, "floor": {"cpu_s": 1.0, "pictures": 80}, "ffmpeg": {"cpu_s": 6.0, "pictures": 80}},
    },
    "many": {"streams": 16, "seconds": 20.0, "sides": {"ours": {"cpu_s": 4.8, "pictures": 320}, "floor": {"cpu_s": 4.0, "pictures": 320}}},
    "quiet": {"seconds": 20.0, "cpu_s": 27.0, "slots": {"analysed": 200, "gated": 9800, "dropped": 0, "failed": 0}},
    "gate": {"objects": 112, "seen": 112, "still": 1000, "opened": 10},
    "latency": {
        "seconds": 20.0, "cpu_s": 19.0, "work_ms": {"decode": 2.0, "analyze": 18.0},
        "seen": {"pictures": 400, "told": 400, "wait_ms": {"p50": 22.0, "p99": 49.0}, "said_ms": {"p50": 21.0, "p99": 48.0}},
    },
    "memory": {"added_mb": {"ours": 25.0, "floor": 19.5}},
    "cycles": {"levels_mb": [90.0] * 10 + [100.0] * 37 + [104.0] * 3},
    "followers": {"updates": 100_000, "gaps": 0, "missed": 0, "each_us": 8.0},
}  # fmt: skip


class Rows(unittest.TestCase):
    def missed(self, *path, value=None):
        found, table = copy.deepcopy(FOUND), Table()
        part = found
        for key in path[:-1]:
            part = part[key]
        if path:
            part[path[-1]] = value
        serving.rows(table, found)
        self.assertIn("CPU each", table.text())
        return [row["what"] for row in table.missed()]

    def test_each_claim_can_be_missed(self):
        self.assertEqual(self.missed(), [])
        for *path, value in [
            ("few", "sides", "floor", "cpu_s", 0.9),
            ("few", "sides", "ffmpeg", "cpu_s", 4.7),
            ("many", "sides", "ours", "cpu_s", 5.3),
            ("quiet", "cpu_s", 28.1),
            # A rate that was not kept up, pictures that went: the load says nothing then.
            ("quiet", "slots", "gated", 9000),
            ("quiet", "slots", "dropped", 1),
            ("gate", "seen", 111),
            ("gate", "opened", 11),
            ("latency", "seen", "wait_ms", "p99", 50.1),
            ("latency", "seen", "pictures", 300),
            ("latency", "cpu_s", 20.1),
            ("memory", "added_mb", "ours", 25.6),
            ("cycles", "levels_mb", [100.0] * 47 + [105.1] * 3),
            ("followers", "gaps", 1),
            ("followers", "missed", 1),
            ("followers", "updates", 0),
        ]:
            with self.subTest(path=path):
                self.assertEqual(len(self.missed(*path, value=value)), 1)

    def test_stages_are_differences(self):
        key = 'ocelli_stream_cpu_seconds_total{stage="decode"}'
        self.assertEqual(serving.spent({key: 1.0, "other": 1.0}, {key: 3.5, "other": 9.0}), {"decode": 2.5})


class Soaking(unittest.TestCase):
    def complaints(self, last, state="running", analysed=11):
        before = {"a": {"slots": {"analysed": 10, "gated": 0}}}
        after = {"a": {"slots": {"analysed": analysed, "gated": 0}, "state": state, "last_error": None}}
        return list(soaking.judged([100.0] * 6 + [last] * 6, before, after))

    def test_growth_and_streams_that_stand_still_are_told(self):
        self.assertEqual(self.complaints(105.0), [])
        self.assertEqual(len(self.complaints(105.1)), 1)
        self.assertEqual(len(self.complaints(100.0, state="error")), 1)
        self.assertEqual(len(self.complaints(100.0, analysed=10)), 1)


if __name__ == "__main__":
    unittest.main()
