import json
import tempfile
import unittest
from pathlib import Path

import storing
from table import Table


def figures(**changed):
    found = {
        "quick": False,
        "write": {"per_second": 9000.0, "cpu_s_per_1000": 0.02},
        "write_floor": {"per_second": 20000.0, "cpu_s_per_1000": 0.04},
        "pace": {"per_second": 2500.0, "p99_ms": 9.0, "cpu_s_per_1000": 0.05},
        "pace_floor": {"p99_ms": 0.1},
        "query": {"detections": 10_000_000, "cold_p95_ms": 2.0, "warm_p95_ms": 1.0, "bytes_per_million_detections": 9e7,
                  "check_s": 10.0},
        "weeks": {"slots": 2_000_000, "young": {"cpu_us": 100.0}, "old": {"cpu_us": 110.0}, "streams": 1000, "put_ms": 0.6,
                  "list_ms": 4.0, "pruned_frames": 250_000, "prune_s": 9.0, "beside_worst_ms": 33.0},
    }
    for key, value in changed.items():
        part, _, name = key.partition("__")
        found[part][name] = value
    return found


class Rows(unittest.TestCase):
    def missed(self, **changed):
        table = Table()
        storing.rows(table, figures(**changed))
        self.assertIn("90 MB", table.text())
        return [row["what"] for row in table.missed()]

    def test_each_claim_can_be_missed(self):
        self.assertEqual(self.missed(), [])
        for key, value in {
            "write__per_second": 4999.0,
            "pace__p99_ms": 15.1,
            # A wait measured at another pace says nothing.
            "pace__per_second": 2000.0,
            "weeks__old": {"cpu_us": 151.0},
            "weeks__beside_worst_ms": 50.1,
            "query__cold_p95_ms": 51.0,
            "query__warm_p95_ms": 51.0,
        }.items():
            with self.subTest(key=key):
                self.assertEqual(len(self.missed(**{key: value})), 1)

    def test_the_folder_is_removed(self):
        with tempfile.TemporaryDirectory() as scratch:
            program = Path(scratch) / "program"
            program.write_text(f"#!/bin/sh\nmkdir -p $1\necho '{json.dumps({'quick': True})}'\n")
            program.chmod(0o755)
            self.assertEqual(storing.measure(program, Path(scratch), True), {"quick": True})
            self.assertFalse((Path(scratch) / "store").exists())


if __name__ == "__main__":
    unittest.main()
