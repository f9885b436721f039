import unittest

try:
    import tracking
except ModuleNotFoundError as error:
    # ./dev check has no need of the benchmark's packages.
    raise unittest.SkipTest(f"{error.name} is in the benchmark's environment only")
from measure import Broken

ONE, TWO = [0.1, 0.1, 0.2, 0.2], [0.6, 0.1, 0.2, 0.2]


class Judged(unittest.TestCase):
    def check(self, truth, tracks, idf1, mota, switches):
        found = tracking.judge(truth, tracks)
        self.assertAlmostEqual(found.idf1, idf1)
        self.assertAlmostEqual(found.mota, mota)
        self.assertEqual(found.switches, switches)

    def test_perfect(self):
        truth = [[(1, ONE), (2, TWO)]] * 3
        self.check(truth, [[(7, *TWO), (9, *ONE)]] * 3, 1.0, 1.0, 0)

    def test_a_switch(self):
        self.check([[(1, ONE)]] * 4, [[(5, *ONE)]] * 2 + [[(6, *ONE)]] * 2, 0.5, 0.75, 1)

    def test_nothing_found(self):
        self.check([[(1, ONE)]] * 2, [[], []], 0.0, 0.0, 0)

    def test_frames_must_be_as_many(self):
        with self.assertRaises(Broken):
            tracking.judge([[(1, ONE)]], [])


class Claims(unittest.TestCase):
    def test_not_below(self):
        reference = tracking.Quality(0.8, 0.7, 5)
        cases = [((0.8, 0.7, 5), True), ((0.796, 0.696, 6), True), ((0.79, 0.7, 5), False)]
        cases += [((0.8, 0.69, 5), False), ((0.9, 0.9, 7), False)]
        for figures, expected in cases:
            with self.subTest(figures):
                self.assertIs(tracking.Quality(*figures).not_below(reference), expected)

    def test_two_readings_must_agree(self):
        tracking.agree("x", tracking.Quality(0.5, 0.4, 3), tracking.Quality(0.5, 0.4, 3))
        with self.assertRaises(Broken):
            tracking.agree("x", tracking.Quality(0.5, 0.4, 3), tracking.Quality(0.5, 0.4, 4))


if __name__ == "__main__":
    unittest.main()
