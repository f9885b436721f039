"""The server with two looping cameras, as somebody would try it.

usage: python3 scripts/demo_live.py OCELLI FOOTAGE FOLDER

On a terminal it runs until Ctrl-C. Anywhere else it shows a few results and stops the server in order. Everything that the
server writes lies in FOLDER.
"""

import json
import os
import signal
import socket
import subprocess
import sys
from http import HTTPStatus
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import follow

PORT = 8002
CAMERAS = {"street": "bikes.mp4", "mall": "vtest.avi"}
# Results shown where nobody can press Ctrl-C.
SHOWN = 8
START_SECONDS = 60
STOP_SECONDS = 60


class Failed(Exception):
    """The server does not take what we ask of it."""


def free_port():
    """The usual port, or 0, for whichever the system gives."""
    with socket.socket() as probe:
        # As the server does: a connection that was just closed keeps nobody out.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", PORT))
        except OSError:
            return 0
        return PORT


def configuration(footage, folder, port):
    """A file that the server reads; anything else has its default."""
    quoted = {name: json.dumps(str(folder / name)) for name in ("store", "frames", "uploads", "recordings", "tokens.json")}
    return f"""[server]
listen = ["127.0.0.1:{port}"]

[access]
tokens = {quoted["tokens.json"]}

[media]
folders = [{json.dumps(str(footage))}]
frames = {quoted["frames"]}
uploads = {quoted["uploads"]}

[store]
path = {quoted["store"]}

[archive]
path = {quoted["recordings"]}
"""


def start(ocelli, config, log):
    """The server's process, and the URL it says it listens on."""
    # Names that other deployments set would put frames elsewhere.
    foreign = ("OUTPUT_FOLDER", "UPLOAD_FOLDER", "HW_ACCEL_OPTIONS")
    clean = {
        name: value
        for name, value in os.environ.items()
        if name == "OCELLI_HOME" or not (name.startswith("OCELLI_") or name in foreign)
    }
    # A session of its own: Ctrl-C is ours to pass on, once.
    server = subprocess.Popen(
        [ocelli, "serve", "--config", config],
        stdout=subprocess.PIPE,
        stderr=log.open("wb"),
        stdin=subprocess.DEVNULL,
        env=clean,
        text=True,
        start_new_session=True,
    )
    said = server.stdout.readline()
    if "listening on " not in said:
        server.wait()
        sys.exit(f"demo: the server did not start:\n{log.read_text(errors='replace')}")
    return server, said.split("listening on ")[1].split()[0]


def create(base, stream):
    """A stream, unless an earlier demo in this folder left it: then it goes on by itself."""
    request = Request(f"{base}/api/v1/streams", json.dumps(stream).encode(), {"Content-Type": "application/json"})
    try:
        urlopen(request, timeout=START_SECONDS).close()
    except HTTPError as error:
        if error.code != HTTPStatus.CONFLICT:
            raise Failed(f"{stream['id']}: {error.code} {error.read().decode(errors='replace')}") from error


def camera(name, path):
    """A stream that plays a file round and round, as a camera would send it."""
    source = {"url": path.as_uri(), "pace": "real_time", "repeat": True}
    # The other clip is MPEG-4 part 2, which no browser plays.
    record = {} if path.suffix == ".mp4" else None
    return {"id": name, "source": source, "fps": 5, "frames": {}, "models": [{}], "gate": True, "record": record}


def results(base):
    """What all streams see, as it becomes known."""
    stream = follow.connect(base.replace("http", "ws", 1) + "/api/v1/live", timeout=START_SECONDS)
    for text in follow.messages(stream):
        message = json.loads(text)
        if message["type"] == "status" and message["status"]["last_error"]:
            print(f"   {message['stream']}: {message['status']['last_error']}", flush=True)
        if message["type"] == "result":
            yield message


def seen(result):
    """A result on one line."""
    looks = []
    for look in result["looks"]:
        labels = [f"{one['label']} {one['confidence']:.0%}" for one in look.get("detections", [])]
        looks.append(", ".join(labels) or ("nothing" if look["verdict"] == "analysed" else look["verdict"]))
    head = f"{result['stream']:<8}{result['seconds']:>6.2f} s  frame {result['frame'] or '-':>4}"
    return f"{head}  after {result['latency_ms']:>5.0f} ms: {'; '.join(looks)}"


def to_try(base, folder, footage):
    """Lines that somebody can copy."""
    streams, pipeline = f"{base}/api/v1/streams", f"{base}/api/v1/video-pipeline"
    first = next(iter(CAMERAS))
    yield "in a browser:"
    yield f"   {base}/api/docs/"
    yield from (f"   {streams}/{name}/snapshot.jpg" for name in CAMERAS)
    yield "what is recorded, in any player of HLS (ffplay, VLC, Safari), and as a list:"
    yield f"   ffplay {streams}/{first}/hls/live.m3u8"
    yield f"   curl -s {streams}/{first}/recording"
    yield "in another terminal, here:"
    yield f"   curl -s {streams}/{first}/status"
    yield f"   python3 scripts/follow.py {base.replace('http', 'ws', 1)}/api/v1/streams/{first}/live"
    yield f"   curl -s '{streams}/{first}/results?class=person&limit=3'"
    yield f"   curl -s {streams}/{first}/ledger"
    yield f"   curl -s {base}/metrics | grep {first}"
    yield f"   ls {folder}/frames/{first}"
    yield "as clients of the frame extraction service do:"
    yield f"   curl -s -F camera_id=gate -F fps=2 -F url={(footage / CAMERAS[first]).as_uri()} {pipeline}/decode/"
    yield f"   curl -s '{pipeline}/decode/status/?camera_id=gate'"
    yield f"   curl -s -o gate.jpg '{pipeline}/latest-frame/?camera_id=gate'"
    yield "docs/guide/serve.md goes on from here."


def run(server, base, footage, folder):
    for name, clip in CAMERAS.items():
        create(base, camera(name, footage / clip))
    arriving = results(base)
    waiting = set(CAMERAS)
    while waiting:
        waiting.discard(next(arriving)["stream"])
    print("   " + "\n   ".join(to_try(base, folder, footage)), flush=True)
    if sys.stdout.isatty():
        print("== it runs until Ctrl-C", flush=True)
        server.wait()
        return
    print("== what they see (without a terminal, the demo ends by itself)")
    for _ in range(SHOWN):
        print("   " + seen(next(arriving)), flush=True)


def stop(server):
    """In order; a second Ctrl-C does not wait for that."""
    print("== the server ends", flush=True)
    server.terminate()
    try:
        return server.wait(STOP_SECONDS)
    except (KeyboardInterrupt, subprocess.TimeoutExpired):
        server.kill()
        return server.wait()


def interrupted(*_signal):
    raise KeyboardInterrupt


def main(ocelli, footage, folder):
    footage, folder = Path(footage).resolve(), Path(folder).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    config, log = folder / "ocelli.toml", folder / "serve.log"
    config.write_text(configuration(footage, folder, free_port()), encoding="utf-8")
    signal.signal(signal.SIGTERM, interrupted)
    server, base = start(ocelli, config, log)
    print(f"   {base}, configuration and log in {folder}", flush=True)
    failure = None
    try:
        run(server, base, footage, folder)
    except KeyboardInterrupt:
        print()
    except (Failed, follow.Refused, OSError, StopIteration) as error:
        failure = str(error) or "live results ended"
    code = stop(server)
    if code != 0 or failure is not None:
        sys.exit(f"demo: {failure or f'the server ended with {code}'}; its log is {log}")
    print(f"   stopped in order; `ocelli runs --store {folder}/store` shows what it kept")


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    main(*sys.argv[1:])
