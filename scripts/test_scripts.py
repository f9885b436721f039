"""The soak run's judgement, the demo's table and the follower of live results, fed with what they must tell apart."""

import base64
import hashlib
import io
import random
import tomllib
import unittest
from pathlib import Path

import demo_live
import demo_table
import follow
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


class Wire(io.BytesIO):
    """What the server sent; what is written goes elsewhere."""

    def __init__(self, sent):
        super().__init__(sent)
        self.answered = b""

    def write(self, data):
        self.answered += bytes(data)
        return len(data)


def frame(opcode, payload, last=True):
    length = len(payload)
    if length < 126:
        head = bytes([length])
    elif length <= 0xFFFF:
        head = b"\x7e" + length.to_bytes(2, "big")
    else:
        head = b"\x7f" + length.to_bytes(8, "big")
    return bytes([opcode | (0x80 if last else 0)]) + head + payload


class Follow(unittest.TestCase):
    def test_messages_of_all_lengths_in_pieces_and_between_pings(self):
        texts = ["a" * length for length in (0, 125, 126, 0xFFFF, 0x10000)]
        sent = b"".join(frame(1, text.encode()) for text in texts)
        sent += frame(1, b"in ", last=False) + frame(9, b"there?") + frame(0, b"two") + frame(8, b"")
        wire = Wire(sent + frame(1, b"after the end"))
        self.assertEqual(list(follow.messages(wire)), [*texts, "in two"])
        self.assertEqual(wire.answered, b"\x8a\x86\0\0\0\0there?")

    def test_what_breaks_off_or_is_too_long_is_an_error(self):
        for sent in (b"", b"\x81", frame(1, b"text")[:-1], b"\x81\x7f" + (1 << 40).to_bytes(8, "big")):
            with self.assertRaises(follow.Refused, msg=sent):
                list(follow.messages(Wire(sent)))

    def test_handshake(self):
        proof = base64.b64encode(hashlib.sha1(b"key" + follow.GUID.encode()).digest()).decode()
        accepted = f"HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: {proof}\r\n\r\n"
        follow.accept(Wire(accepted.encode()), "key")
        refused = b"HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\nnope and more"
        for sent, words in ((accepted.encode(), "belong"), (refused, "404 Not Found: nope$"), (b"", "")):
            with self.assertRaisesRegex(follow.Refused, words):
                follow.accept(Wire(sent), "other key")
        with self.assertRaisesRegex(follow.Refused, "write ws://"):
            follow.connect("http://127.0.0.1/")


class DemoLive(unittest.TestCase):
    def test_configuration_is_toml_whatever_the_folder_is_called(self):
        folder = Path('/tmp/"a" \\ b')
        config = tomllib.loads(demo_live.configuration(folder, folder, 8002))
        self.assertEqual(config["media"]["folders"], [str(folder)])
        self.assertEqual(config["store"]["path"], str(folder / "store"))
        self.assertEqual(config["server"]["listen"], ["127.0.0.1:8002"])

    def test_what_is_seen_on_a_line(self):
        detections = [{"label": "car", "confidence": 0.84}, {"label": "dog", "confidence": 0.5}]
        looks = [{"verdict": "analysed", "detections": detections}, {"verdict": "gated"}, {"verdict": "analysed"}]
        result = {"stream": "mall", "seconds": 1.5, "frame": None, "latency_ms": 14.2, "looks": looks}
        self.assertEqual(
            demo_live.seen(result), "mall      1.50 s  frame    -  after    14 ms: car 84%, dog 50%; gated; nothing"
        )


if __name__ == "__main__":
    unittest.main()
