"""A running `ocelli serve`, a running RTSP server, and what the kernel says of either."""

import json
import os
import re
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path

from measure import Broken

RTSP = Path(__file__).parent.parent / "crates/testkit/src/rtsp/server.py"
TICKS = os.sysconf("SC_CLK_TCK")
START_S = 30


class Process:
    """A child process that ends with its owner."""

    def __init__(self, command, log, **more):
        self.log = Path(log)
        with open(self.log, "wb") as stderr:
            command = [str(part) for part in command]
            self.child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=stderr, text=True, **more)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.child.terminate()
        try:
            self.child.wait(START_S)
        except subprocess.TimeoutExpired:
            self.child.kill()
            self.child.wait()
        self.child.stdout.close()
        if self.child.stdin:
            self.child.stdin.close()

    def line(self):
        """The next line of its standard output."""
        line = self.child.stdout.readline()
        if not line:
            said = self.log.read_text(errors="replace").strip()[-2000:]
            raise Broken(f"{self.child.args[0]} ended with {self.child.wait()}: {said}")
        return line.rstrip("\n")

    def ask(self, line=""):
        """What it answers to a line on its standard input."""
        self.child.stdin.write(f"{line}\n")
        self.child.stdin.flush()
        return self.line()

    def cpu(self):
        """User and system seconds so far, of all threads."""
        return cpu_of(self.child.pid)

    def resident_mb(self):
        status = Path(f"/proc/{self.child.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+) kB", status)[1]) / 1024


def cpu_of(pid):
    # The name in brackets may hold spaces.
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


class RtspServer(Process):
    """GStreamer's; the n-th file is at `/n`. Shared, a file is read once for all its clients, with the same RTP timestamps; with more than a
    handful of clients that server then stands still now and then."""

    def __init__(self, log, *files, shared=False):
        command = ["/usr/bin/python3", RTSP, *(["--shared"] if shared else []), *map(Path.absolute, files)]
        super().__init__(command, log, stdin=subprocess.PIPE)
        self.port = int(self.line())

    def url(self, file=0):
        return f"rtsp://127.0.0.1:{self.port}/{file}"


class Server(Process):
    """Ours, with a folder of its own, open to this machine."""

    def __init__(self, programs, folder, *settings):
        self.folder = folder.absolute()
        self.folder.mkdir(parents=True, exist_ok=True)
        settings = [
            f"media.frames={self.folder}/frames", f"media.uploads={self.folder}/uploads", f"store.path={self.folder}/store",
            f"archive.path={self.folder}/recordings", "archive.reserve_bytes=1 MB", "rtmp.listen=127.0.0.1:0",
            f"access.tokens={self.folder}/tokens.json", "network.allow=127.0.0.0/8", "server.limits.requests_per_second=100000",
            "server.limits.burst=100000", *settings,
        ]  # fmt: skip
        command = [programs / "ocelli", "serve", "--listen", "127.0.0.1:0"]
        for setting in settings:
            command += ["--set", setting]
        super().__init__(command, self.folder / "log")
        said = self.line()
        self.address = re.search(r"http://([\d.:]+)", said)[1]

    def rtmp_url(self):
        """Where publishers go; a path and a secret follow."""
        return f"rtmp://127.0.0.1:{re.search(r'127.0.0.1:([0-9]+)', self.logged('RTMP publishers are taken'))[1]}"

    def logged(self, words):
        """The last line of its log that holds them."""
        lines = [line for line in self.log.read_text(errors="replace").splitlines() if words in line]
        if not lines:
            raise Broken(f"the server did not log {words!r}")
        return lines[-1]

    def call(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"http://{self.address}{path}", data, method=method)
        request.add_header("Content-Type", "application/json")
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.read()
        except urllib.error.HTTPError as error:
            raise Broken(f"{method} {path}: {error.code} {error.read().decode(errors='replace')[:500]}") from error

    def stream(self, name, url, fps, **more):
        source = {"url": url} | more.pop("source", {})
        self.call("POST", "/api/v1/streams", {"id": name, "source": source, "fps": str(fps), **more})

    def status(self):
        return {one["id"]: one["status"] for one in json.loads(self.call("GET", "/api/v1/streams?limit=1000"))["items"]}

    def metrics(self):
        """Sums over streams, by name and label."""
        sums = {}
        for line in self.call("GET", "/metrics").decode().splitlines():
            found = re.match(r"(\w+)(?:\{(.*)\})? (\S+)$", line)
            if not found:
                continue
            labels = re.sub(r'stream="[^"]*",?', "", found[2] or "")
            key = found[1] + (f"{{{labels}}}" if labels else "")
            sums[key] = sums.get(key, 0.0) + float(found[3])
        return sums

    def wait_for(self, count, seconds=60, state="running"):
        """Until so many streams are in a state."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            status = self.status()
            if sum(one["state"] == state for one in status.values()) >= count:
                return
            time.sleep(0.2)
        raise Broken(f"streams are not {state}: {json.dumps(status)[:2000]}")

    def recording(self, name):
        return json.loads(self.call("GET", f"/api/v1/streams/{name}/recording"))
