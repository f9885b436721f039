"""The soak run's judgement and the demo's table, fed with what they must tell apart."""

import random
import unittest

import demo_table
import soak


def line(pts, run=0):
    return b'{"run":%d,"pts":%d}\n' % (run, pts)


class Soak(unittest.TestCase):
    def check(self, expected, status=0, stdout=b"", stderr=b""):
        found = list(soak.complaints(status, stdout, stderr))
        self.assertEqual(len(found), expected, found)

    def test_lawful_endings(self):
        self.check(0, 0, line(1) + line(2))
        self.check(0, 1, line(9) + line(1, run=1), b"ocelli: damaged at 3 s\n")
        self.check(0, 2, b"", b"ocelli: no video in it\n")

    def test_unlawful_endings(self):
        self.check(1, None)
        self.check(1, -11)
        self.check(1, 1)
        self.check(3, 101, b"", b"thread 'main' panicked at x")
        self.check(1, 1, b"", b"[h264 @ 0x1] a library that talks past us\n")
        self.check(1, 0, b"", b"ocelli: " + b"x" * soak.STDERR_BYTES)

    def test_output_that_is_not_whole_results_in_order(self):
        self.check(2, 0, line(1) + b'{"run":0')
        self.check(1, 0, b"hello\n")
        self.check(1, 0, line(2) + line(2))
        self.check(1, 0, b"[1]\n")

    def test_damage_is_repeatable_and_real(self):
        clip = bytes(range(256)) * 256
        for seed in range(50):
            first = soak.damage(clip, b"other", random.Random(seed))
            self.assertEqual(first, soak.damage(clip, b"other", random.Random(seed)))
            self.assertNotEqual(first, clip)


class DemoTable(unittest.TestCase):
    def test_tally(self):
        frames = [(0.0, [("car", 0.5)]), (0.2, []), (0.4, [("car", 0.6), ("car", 0.9), ("dog", 0.7)])]
        results = [
            {"seconds": seconds, "detections": [{"label": name, "confidence": sure} for name, sure in seen]}
            for seconds, seen in frames
        ]
        labels, count = demo_table.tally(results)
        self.assertEqual(count, 3)
        self.assertEqual(labels["car"], demo_table.Seen(frames=2, most=2, best=0.9, first=0.0, last=0.4))
        self.assertEqual(labels["dog"], demo_table.Seen(frames=1, most=1, best=0.7, first=0.4, last=0.4))


if __name__ == "__main__":
    unittest.main()
