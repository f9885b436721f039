"""A client of contract 3 that knows its text alone: httpx for the calls, websockets for what is live.

Usage: client.py URL CLIP
URL is that of the server, whose local camera is a synthetic one; CLIP a video to upload (10 s at 30 fps).
Each function whose name begins with check_ is one check. Ends with status 1 if one fails, and says which and why.
"""

import datetime
import json
import sys
import time
import traceback
import uuid

import httpx
from websockets.sync.client import connect

URL, CLIP = sys.argv[1], sys.argv[2]
# A guard against hangs: looks at a stream, 50 ms apart; seconds for a message.
LOOKS, PATIENCE = 1200, 60
client = httpx.Client(base_url=URL, timeout=60)
STREAMS = "/api/streaming/streams/"


def is_equal(found, expected):
    assert found == expected, f"{found!r} is not {expected!r}"


def answer(response, status=200):
    assert response.status_code == status, f"{response.status_code}, not {status}: {response.text[:300]}"
    said = response.json()
    if status != 200:
        assert set(said) == {"error"} and isinstance(said["error"], str), said
    return said


def post(path, status=200, **body):
    return answer(client.post(STREAMS + path, **body), status)


def create(name, source_type, mode="live", **more):
    stream = {"name": name, "source_type": source_type, "processing_mode": mode, **more}
    return post("create/", json=stream)


def listed(key):
    streams = answer(client.get(STREAMS))["streams"]
    return next(stream for stream in streams if stream["stream_key"] == key)


def until(key, status):
    for _ in range(LOOKS):
        stream = listed(key)
        if stream["status"] == status:
            return stream
        time.sleep(0.05)
    raise AssertionError(f"{key} does not become {status}: {stream}")


class Live:
    """A connection to /ws/stream/."""

    def __init__(self, slash="/"):
        self.connection = connect(URL.replace("http", "ws", 1) + "/ws/stream" + slash)

    def __enter__(self):
        self.socket = self.connection.__enter__()
        return self

    def __exit__(self, *why):
        return self.connection.__exit__(*why)

    def say(self, **message):
        self.socket.send(json.dumps(message))

    def next(self):
        return json.loads(self.socket.recv(timeout=PATIENCE))

    def until(self, kind):
        while (message := self.next())["type"] != kind:
            pass
        return message


def is_analysis(analysis, key):
    uuid.UUID(analysis["id"])
    is_equal(analysis["stream_id"], key)
    is_equal(analysis["analysis_type"], "object_detection")
    is_equal(analysis["provider"], "local")
    is_equal(analysis["visual"], None)
    datetime.datetime.fromisoformat(analysis["timestamp"])
    num, den = analysis["time_base"]
    assert abs(analysis["frame_timestamp"] - analysis["pts"] * num / den) < 1e-5, analysis
    assert 0 < analysis["processing_time"] < PATIENCE, analysis
    for detection in analysis["detections"]:
        assert 0 <= detection["confidence"] <= 1 and isinstance(detection["label"], str), detection
        is_equal(detection["detection_type"], "object")
        box = detection["bbox"]
        is_equal(sorted(box), ["height", "width", "x", "y"])
        assert all(-0.01 <= number <= 1.01 for number in box.values()), box


def check_a_webcam_is_played_and_watched():
    for slash in ("/", ""):
        started = post(f"webcam/start{slash}")
        key = started["stream_key"]
        assert "synthetic" in started["message"], started
        is_equal((started["status"], started["source_type"]), ("active", "webcam"))
        with Live(slash) as live:
            live.say(type="subscribe", stream_id=key, session_id="sitting")
            first, second = (live.until("analysis_update")["analysis"] for _ in range(2))
            for analysis in (first, second):
                is_analysis(analysis, key)
                is_equal(analysis["session_id"], "sitting")
                now = datetime.datetime.now(datetime.timezone.utc)
                captured = datetime.datetime.fromisoformat(analysis["captured_at"])
                assert abs((now - captured).total_seconds()) < PATIENCE, analysis
            assert second["pts"] > first["pts"], (first, second)
            live.say(type="ping", timestamp=12.5)
            is_equal(live.until("pong"), {"type": "pong", "timestamp": 12.5})
            live.socket.send("nonsense")
            assert live.until("error")["message"]
            live.say(type="unsubscribe", stream_id=key)
            live.say(type="ping", timestamp="end")
            while live.next() != {"type": "pong", "timestamp": "end"}:
                pass
            # What was told live is stored, under the same id.
            live.say(type="subscribe", stream_id=key, session_id="sitting")
            recent = live.until("recent_analysis")
            is_equal(recent["stream_id"], key)
            times = [(analysis["run"], analysis["pts"]) for analysis in recent["analyses"]]
            assert 1 <= len(times) <= 5 and times == sorted(times, reverse=True), times
        stored = answer(client.get(f"/api/streams/{key}/analysis{slash}", params={"limit": 500}))["results"]
        same = [analysis for analysis in stored if analysis["id"] == first["id"]]
        is_equal(same, [first])
        post(f"{key}/analyze{slash}")
        stopped = post(f"{key}/stop{slash}")
        is_equal(stopped["status"], "inactive")


def check_playlists_where_streams_are_recorded():
    key = post("webcam/start/")["stream_key"]
    url = listed(key)["hls_playlist_url"]
    is_equal(url, f"/streaming/{key}.m3u8")
    playlist = client.get(url)
    is_equal(playlist.status_code, 200)
    is_equal(playlist.headers["content-type"], "application/vnd.apple.mpegurl")
    assert playlist.text.startswith("#EXTM3U"), playlist.text
    post(f"{key}/stop/")
    is_equal(listed(key)["hls_playlist_url"], None)


def check_a_file_is_uploaded_analysed_and_deleted():
    made = create("A file", "file", "batch")
    key = made["stream_key"]
    is_equal((made["status"], made["hls_playlist_url"]), ("inactive", None))
    post(f"{key}/start/", 409)
    post(f"{key}/analyze/", 404)
    with open(CLIP, "rb") as clip:
        answer(client.post(f"{STREAMS}{key}/upload/", files={"file": ("a.mp4", clip)}))
    post(f"{key}/start/")
    until(key, "inactive")
    results = answer(client.get(f"/api/streams/{key}/analysis/", params={"limit": 500}))["results"]
    # Batch: 5 a second of 10 s, from the first picture to the last, none left out.
    is_equal(len(results), 51)
    for analysis in results:
        is_analysis(analysis, key)
    times = [analysis["pts"] for analysis in results]
    is_equal(times, sorted(times, reverse=True))
    is_equal(len({analysis["id"] for analysis in results}), 51)
    is_equal(answer(client.delete(f"{STREAMS}{made['id']}/"))["message"], f"Stream {key} deleted")
    answer(client.delete(f"{STREAMS}{made['id']}/"), 404)


def check_an_analysis_that_is_asked_for_although_nothing_moves():
    made = create("Still", "synthetic", url="synthetic:?fps=10&motion=still")
    key = made["stream_key"]
    post(f"{key}/start/")
    until(key, "active")
    answer(client.delete(f"{STREAMS}{made['id']}/"), 400)
    with Live() as live:
        live.say(type="subscribe", stream_id=key)
        # The gate learns what stands still, and closes.
        for _ in range(LOOKS):
            slots = answer(client.get(f"/api/v1/streams/{key}/status"))["slots"]
            if slots["gated"] >= 2:
                break
            time.sleep(0.05)
        assert slots["gated"] >= 2, slots
        live.say(type="unsubscribe", stream_id=key)
    with Live() as live:
        newest = answer(client.get(f"/api/streams/{key}/analysis/"))["results"][0]
        live.say(type="request_analysis", stream_id=key)
        asked = live.until("analysis_update")["analysis"]
        is_analysis(asked, key)
        assert asked["pts"] > newest["pts"], (asked["pts"], newest["pts"])
    post(f"{key}/stop/")
    answer(client.delete(f"{STREAMS}{made['id']}/"))


def check_many_streams_at_once():
    keys = []
    for number in range(3):
        made = create("Camera", "synthetic", url="synthetic:?fps=5")
        keys.append(made["stream_key"])
        post(f"{keys[-1]}/start/")
    is_equal(len(set(keys)), 3)
    with Live() as live:
        for key in keys:
            live.say(type="subscribe", stream_id=key)
        heard = set()
        while heard != set(keys):
            heard.add(live.until("analysis_update")["analysis"]["stream_id"])
    for key in keys:
        post(f"{key}/stop/")


def check_a_publisher_is_told_where_to():
    made = create("Studio", "rtmp")
    key, secret = made["stream_key"], made["publish_secret"]
    is_equal(made["publish_key"], f"{key}?secret={secret}")
    assert made["rtmp_ingest_url"].startswith("rtmp://127.0.0.1:"), made
    is_equal(post(f"{key}/start/")["status"], "starting")
    is_equal(listed(key)["status"], "starting")
    post(f"{key}/stop/")


def main():
    checks = [check for name, check in globals().items() if name.startswith("check_")]
    failed = 0
    for check in checks:
        try:
            check()
        except Exception:
            failed += 1
            print(f"{check.__name__}:\n{traceback.format_exc()}")
    return 1 if failed or not checks else 0


if __name__ == "__main__":
    sys.exit(main())
