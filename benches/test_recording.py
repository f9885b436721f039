import copy
import tempfile
import unittest
from pathlib import Path

import mirror
import nginx
import recording
from table import Table

KEPT = {"seconds": 9.0, "media_seconds": 3600.0, "gaps": 0}
FOUND = {
    "publishers": {
        "streams": 4, "seconds": 20.0, "gaps": 0,
        "sides": {"ours": {"cpu_s": 1.0, "pieces": 40, "bytes": 40e6}, "nginx": {"cpu_s": 1.0, "pieces": 40, "bytes": 42e6}},
    },
    "cameras": {
        "streams": 4, "seconds": 20.0, "gaps": 0, "stages": {},
        "sides": {"ours": {"cpu_s": 0.8, "pieces": 40, "bytes": 40e6}, "floor": {"cpu_s": 0.5, "pieces": 2400, "bytes": 0}},
    },
    "pictures": {"pictures": [{"pts": 0, "ours_ms": 129.0, "needed_ms": 100.0, "decoded": 20, "bytes": 9}] * 50, "kept": KEPT},
    "hour": {"segments": 1800, "seconds": 3600.0, "bytes": 90_000, "ms": [49.0] * 20},
    "viewers": {
        "viewers": 500, "bytes_per_second": 500e3, "alone": 0.05,
        "sides": {
            name: {"seconds": 20.0, "cpu_s": 5.0, "playlists": 5000, "pieces": 5000, "bytes": 5e9, "gaps": 0, "missing": 0}
            for name in ("plain", "low", "nginx")
        },
    },
    "overlay": [{"player": player, "checked": 200, "complaints": [], "errors": []} for player in ("hls", "socket")],
}  # fmt: skip

PLAYLIST = """#EXTM3U
#EXT-X-TARGETDURATION:2
#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES
#EXT-X-PART-INF:PART-TARGET=0.200
#EXT-X-MEDIA-SEQUENCE:7
#EXT-X-MAP:URI="init-0.mp4"
#EXTINF:2.000000,
7.m4s
#EXT-X-PART:DURATION=0.2,URI="8.0.m4s"
#EXTINF:2.000000,
8.m4s
#EXT-X-PRELOAD-HINT:TYPE=PART,URI="9.0.m4s"
"""


class Rows(unittest.TestCase):
    def missed(self, *path, value=None):
        found = copy.deepcopy(FOUND)
        part = found
        for key in path[:-1]:
            part = part[key]
        if path:
            part[path[-1]] = value
        return self.missed_in(found)

    def missed_in(self, found):
        table = Table()
        recording.rows(table, found)
        self.assertIn("CPU each", table.text())
        return [row["what"] for row in table.missed()]

    def test_each_claim_can_be_missed(self):
        self.assertEqual(self.missed(), [])
        for *path, value in [
            ("publishers", "sides", "ours", "cpu_s", 1.01),
            # What is not whole says nothing of what it costs.
            ("publishers", "sides", "ours", "pieces", 35),
            ("publishers", "sides", "nginx", "pieces", 35),
            ("publishers", "gaps", 1),
            ("cameras", "sides", "ours", "cpu_s", 0.81),
            ("cameras", "sides", "ours", "pieces", 35),
            ("cameras", "gaps", 1),
            ("pictures", "pictures", [{"ours_ms": 131.0, "needed_ms": 100.0}] * 4 + [{"ours_ms": 1.0, "needed_ms": 0.0}] * 46),
            ("hour", "ms", [51.0] * 2 + [1.0] * 18),
            ("hour", "seconds", 3500.0),
            ("pictures", "kept", KEPT | {"gaps": 1}),
            ("viewers", "sides", "plain", "gaps", 1),
            ("viewers", "sides", "nginx", "missing", 1),
            ("viewers", "sides", "low", "bytes", 4e9),
            ("overlay", 0, "complaints", ["1 boxes on other pictures"]),
            ("overlay", 0, "errors", ["the player gave up"]),
            ("overlay", 1, "checked", 0),
        ]:
            with self.subTest(path=path):
                self.assertEqual(len(self.missed(*path, value=value)), 1)

    def test_rows_against_what_is_not_there_are_left_out(self):
        found = copy.deepcopy(FOUND) | {"overlay": None}
        del found["publishers"]["sides"]["nginx"], found["viewers"]["sides"]["nginx"]
        self.assertEqual(self.missed_in(found), [])
        found["viewers"]["sides"]["plain"]["gaps"] = found["publishers"]["gaps"] = 1
        self.assertEqual(len(self.missed_in(found)), 2)

    def test_one_in_twenty_may_be_slow(self):
        self.assertEqual(recording.high([1.0] * 19 + [100.0]), 5.95)
        self.assertEqual(recording.high([1.0] * 48 + [100.0] * 2), 1.0)


class Playlists(unittest.TestCase):
    def test_nginx_gets_whole_segments_whose_files_are_there(self):
        head = "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:7\n#EXTINF:2.000000,\nmedia/v/0/7.mp4\n"
        self.assertEqual(mirror.plain(PLAYLIST, "media/v/0", lambda number: True), f"{head}#EXTINF:2.000000,\nmedia/v/0/8.mp4\n")
        self.assertEqual(mirror.plain(PLAYLIST, "media/v/0", lambda number: number == "7"), head)


class Peer(unittest.TestCase):
    def test_without_its_module_there_is_no_nginx(self):
        with tempfile.TemporaryDirectory() as home:
            program = Path(home) / "nginx/usr/sbin/nginx"
            program.parent.mkdir(parents=True)
            program.touch()
            self.assertIsNone(nginx.found(Path(home)))
            module = Path(home) / "nginx/usr/lib/nginx/modules/ngx_rtmp_module.so"
            module.parent.mkdir(parents=True)
            module.touch()
            self.assertEqual(nginx.found(Path(home)), (program, module))

    def test_one_that_ends_at_once_says_why(self):
        with tempfile.TemporaryDirectory() as folder:
            program = Path(folder) / "program"
            program.write_text("#!/bin/sh\necho no such module >&2\nexit 1\n")
            program.chmod(0o755)
            with self.assertRaisesRegex(Exception, "no such module"):
                nginx.Nginx(program, "module", Path(folder) / "nginx", "media")

    def test_free_ports_differ(self):
        self.assertEqual(len(set(nginx.free_ports(5))), 5)


if __name__ == "__main__":
    unittest.main()
