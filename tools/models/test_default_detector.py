"""The installed default detector on the installed runtime, against the same network converted another way."""

import os
import subprocess
import unittest
from pathlib import Path

import numpy as np
from openvino_c import Model, OpenVinoError

HOME = Path(os.environ.get("OCELLI_HOME", "/nonexistent"))
LIBRARY = HOME / "runtimes/openvino-2026.4.0/libopenvino_c.so.2640"
OURS = HOME / "models/ssdlite_mobilenet_v2_coco.onnx"
BUS = HOME / "footage/bus.jpg"
REFERENCE = Path(os.environ.get("OCELLI_SHARED", "../shared")) / "models/ssdlite_mobilenet_v2_coco.onnx"

SIZE = 300
# Two conversions round their folded weights differently. Measured: 7e-7 at most; the rest is for other CPUs' kernels.
TOLERANCE = 2e-6
# Column of the scores = COCO category id - 1.
PERSON, BUS_CLASS = 0, 5


def require(path, remedy):
    if not path.is_file():
        raise unittest.SkipTest(f"skipped: {path} is absent ({remedy})")


def floats(model, name, shape):
    return np.frombuffer(model.tensor_bytes(name), np.float32).reshape(shape)


def outputs(model, image):
    floats(model, "image", (3, SIZE, SIZE))[:] = image
    model.infer()
    return floats(model, "scores", (1917, 90)).copy(), floats(model, "boxes", (1917, 4)).copy()


def bus_picture():
    """bus.jpg as the model wants it: stretched, RGB, -1..1, planes."""
    command = ["ffmpeg", "-v", "error", "-i", BUS, "-vf", f"scale={SIZE}:{SIZE}:flags=area"]
    command += ["-pix_fmt", "rgb24", "-f", "rawvideo", "-"]
    pixels = subprocess.run(command, check=True, capture_output=True).stdout
    image = np.frombuffer(pixels, np.uint8).reshape(SIZE, SIZE, 3).transpose(2, 0, 1)
    return image.astype(np.float32) / np.float32(127.5) - 1


class DefaultDetector(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        require(LIBRARY, "./dev setup fetches it")
        require(OURS, "./dev setup makes it")
        cls.ours = Model(LIBRARY, OURS)

    def check_equal(self, image):
        require(REFERENCE, "set OCELLI_SHARED")
        reference = Model(LIBRARY, REFERENCE)
        for ours, other in zip(outputs(self.ours, image), outputs(reference, image), strict=True):
            np.testing.assert_allclose(ours, other, rtol=0, atol=TOLERANCE)

    def test_equal_on_noise(self):
        random = np.random.default_rng(11)
        for _ in range(3):
            self.check_equal(random.uniform(-1, 1, size=(3, SIZE, SIZE)).astype(np.float32))

    def test_equal_on_a_photograph(self):
        require(BUS, "./dev setup fetches it")
        self.check_equal(bus_picture())

    def test_sees_what_is_in_the_photograph(self):
        require(BUS, "./dev setup fetches it")
        scores, boxes = outputs(self.ours, bus_picture())
        self.assertGreater(scores[:, PERSON].max(), 0.95)
        self.assertGreater(scores[:, BUS_CLASS].max(), 0.8)
        top, left, bottom, right = boxes[scores[:, BUS_CLASS].argmax()]
        # The bus fills the picture's width between a fifth and three quarters of its height.
        self.assertTrue(left < 0.1 and right > 0.9 and 0.1 < top < 0.3 and 0.6 < bottom < 0.8)


class Runtime(unittest.TestCase):
    def test_a_missing_library_or_model_is_named(self):
        self.assertRaisesRegex(OpenVinoError, "nowhere.so does not load", Model, "nowhere.so", OURS)
        require(LIBRARY, "./dev setup fetches it")
        self.assertRaisesRegex(OpenVinoError, "ov_core_read_model", Model, LIBRARY, "nowhere.onnx")


if __name__ == "__main__":
    unittest.main()
