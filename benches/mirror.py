"""A client of a running server, and its live playlist as a file that another server can serve."""

import http.client
import threading
import time

from measure import Broken


class Client:
    """One connection that stays."""

    def __init__(self, address):
        self.connection = http.client.HTTPConnection(address, timeout=60)
        self.connection.connect()

    def get(self, path):
        """Headers, body, and the ms from asking to the last byte."""
        began = time.perf_counter()
        self.connection.request("GET", path)
        answer = self.connection.getresponse()
        body = answer.read()
        ms = (time.perf_counter() - began) * 1e3
        if answer.status != 200:
            raise Broken(f"GET {path}: {answer.status} {body.decode(errors='replace')[:500]}")
        return answer.headers, body, ms


class Mirror:
    """The live playlist of a server as a file, as far as segments are sealed."""

    def __init__(self, server, path, out, stream):
        self.client, self.path, self.out = Client(server.address), path, out
        self.media, self.stream = server.folder / "recordings/media", stream
        self.stop, self.error = threading.Event(), None
        self.thread = threading.Thread(target=self.follow)

    def __enter__(self):
        self.write()
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stop.set()
        self.thread.join()
        if self.error:
            raise Broken(f"the playlist for nginx: {self.error}")

    def follow(self):
        try:
            while not self.stop.wait(0.25):
                self.write()
        except (Broken, OSError, http.client.HTTPException) as error:
            self.error = error

    def write(self):
        text = self.client.get(self.path)[1].decode()
        is_there = lambda number: (self.media / self.stream / "0" / f"{number}.mp4").is_file()
        aside = self.out.with_suffix(".part")
        aside.write_text(plain(text, f"media/{self.stream}/0", is_there))
        aside.replace(self.out)


def plain(text, folder, is_there):
    """A playlist of whole segments out of one with parts, up to the first segment whose file is not there."""
    lines = []
    for line in text.splitlines():
        if line.startswith(("#EXT-X-PART", "#EXT-X-PRELOAD", "#EXT-X-SERVER", "#EXT-X-MAP", "#EXT-X-PROGRAM")):
            continue
        if line.endswith(".m4s") and not line.startswith("#"):
            number = line.removesuffix(".m4s").rpartition("/")[2]
            if not is_there(number):
                lines.pop()
                break
            line = f"{folder}/{number}.mp4"
        lines.append(line)
    return "\n".join(lines) + "\n"
