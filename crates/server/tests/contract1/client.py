"""A client of contract 1 that knows its text alone: httpx for the calls, OpenCV for the frames.

Usage: client.py URL FRAMES MEDIA
URL is that of the server, FRAMES its frame folder as this client has it mounted, MEDIA the folder of clips that the server may
read: even.mp4 (30 fps, 10 s, frames painted with their number), slow.mp4 (5 fps, 4 s), camera.mp4 (as even.mp4, minutes long).
Each function whose name begins with check_ is one check. Ends with status 1 if one fails, and says which and why.
"""

import re
import sys
import time
import traceback
from pathlib import Path

import cv2
import httpx

GOING = ("starting", "running", "restarting")
# A guard against hangs: looks at a status, 20 ms apart.
LOOKS = 3000

URL, FRAMES, MEDIA = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
client = httpx.Client(base_url=f"{URL}/api/v1/video-pipeline/", timeout=60)


def is_equal(found, expected):
    assert found == expected, f"{found!r} is not {expected!r}"


def answer(response, status=200):
    assert response.status_code == status, f"{response.status_code}, not {status}: {response.text[:300]}"
    return response.json()


def decode(camera, status=200, files=None, **fields):
    return answer(client.post("decode/", data={"camera_id": camera, **fields}, files=files), status)


def status_of(camera):
    return answer(client.get("decode/status/", params={"camera_id": camera}))


def until(camera, holds, each=lambda: None):
    """Looks at a camera until `holds` of its status; `each` is called at every look."""
    for _ in range(LOOKS):
        status = status_of(camera)
        each()
        if holds(status):
            return status
        time.sleep(0.02)
    raise AssertionError(f"{camera} stays {status}")


def ended(camera, each=lambda: None):
    status = until(camera, lambda status: status["status"] not in GOING, each)
    is_equal(status["status"], "completed")
    return status


def url(name):
    return f"file://{MEDIA}/{name}"


def names(camera):
    return sorted(path.name for path in (FRAMES / camera).glob("*.jpg"))


def whole_frames(camera):
    """The frames of a folder, as OpenCV reads them: no gap, none broken, modification times rising."""
    found = sorted((FRAMES / camera).glob("*.jpg"), key=lambda path: int(path.stem.removeprefix("frame_")))
    is_equal([path.name for path in found], [f"frame_{n:04d}.jpg" for n in range(1, len(found) + 1)])
    times = [path.stat().st_mtime_ns for path in found]
    assert all(earlier < later for earlier, later in zip(times, times[1:])), times
    pictures = [cv2.imread(str(path)) for path in found]
    assert all(picture is not None for picture in pictures), camera
    return found, pictures


def comment(jpeg):
    """The media time in the comment segment of a JPEG, as its words."""
    at = jpeg.index(b"\xff\xfe")
    length = int.from_bytes(jpeg[at + 2 : at + 4], "big")
    return dict(re.findall(r"(\w+)=(\S+)", jpeg[at + 4 : at + 2 + length].decode()))


def check_health():
    for path in ("health/", "health"):
        is_equal(answer(client.get(path)), {"status": "healthy", "service": "video-pipeline"})


def check_hardware():
    found = answer(client.get("hw-accel-cap/"))["message"]["available_hw_accelerations"]
    assert set(found) <= {"cuda", "qsv", "vaapi"}, found


def check_video_info():
    for name, expected in (("even.mp4", (30, 10)), ("slow.mp4", (5, 4))):
        with open(MEDIA / name, "rb") as video:
            told = answer(client.post("video-info/", files={"video": video}))
        is_equal(told["message"], "Video information retrieved")
        info = told["info"]
        is_equal(sorted(info), ["codec", "duration", "format", "fps", "height", "width"])
        is_equal((info["codec"], info["width"], info["height"]), ("h264", 384, 256))
        assert "mp4" in info["format"], info
        assert abs(info["fps"] - expected[0]) < 0.01 and abs(info["duration"] - expected[1]) < 0.1, info


def check_decode_answers_as_written():
    told = decode("written", url=url("even.mp4"))
    folder = told.pop("output_folder")
    assert folder.endswith("/written"), folder
    is_equal(told, {"message": "Decoding started", "camera_id": "written", "status": "started"})
    status = ended("written")
    count = status.pop("frame_count")
    is_equal(
        status, {"camera_id": "written", "status": "completed", "last_error": None, "restart_count": 0}
    )
    found, pictures = whole_frames("written")
    is_equal(len(found), count)
    assert abs(count - 10) <= 1, count
    is_equal({picture.shape for picture in pictures}, {(256, 384, 3)})


def check_counts():
    for index, (name, fps, least, most) in enumerate(
        (
            ("even.mp4", "0.5", 4, 6),
            ("even.mp4", "3", 29, 31),
            ("even.mp4", "12.5", 124, 126),
            ("even.mp4", "30", 299, 300),
            ("even.mp4", "100", 300, 300),
            ("slow.mp4", "10", 20, 20),
            ("slow.mp4", "2", 7, 9),
        )
    ):
        camera = f"count{index}"
        decode(camera, url=url(name), fps=fps)
        count = ended(camera)["frame_count"]
        assert least <= count <= most, f"{name} at {fps}: {count}"
        is_equal(len(whole_frames(camera)[0]), count)


def check_every_picture_once():
    decode("once", url=url("slow.mp4"), fps="200")
    ended("once")
    times = [float(comment(path.read_bytes())["seconds"]) for path in whole_frames("once")[0]]
    assert all(abs(found - n / 5) < 0.001 for n, found in enumerate(times)), times


def check_only_whole_frames_are_seen():
    """Whatever is in the folder at any moment can be read, and grows without a gap."""
    decode("seen", url=url("camera.mp4"), fps="30")
    seen = []

    def look():
        found = names("seen")
        assert found[: len(seen)] == seen, "frames that were there are gone"
        for name in found[len(seen) :]:
            assert cv2.imread(str(FRAMES / "seen" / name)) is not None, name
        seen[:] = found
        is_equal(found, [f"frame_{n:04d}.jpg" for n in range(1, len(found) + 1)])

    until("seen", lambda status: status["frame_count"] >= 200 or status["status"] not in GOING, look)
    stopped = answer(client.post("decode/stop/", data={"camera_id": "seen"}))
    is_equal(stopped["status"] in ("stopped", "completed"), True)
    is_equal(len(whole_frames("seen")[0]), status_of("seen")["frame_count"])


def check_uploads_both_forms():
    with open(MEDIA / "slow.mp4", "rb") as video:
        decode("upload", files={"file": ("a b/../ö.mp4", video, "video/mp4")}, fps="2")
    ended("upload")
    assert abs(len(whole_frames("upload")[0]) - 8) <= 1
    # The same fields as a form with and without parts.
    decode("parts", files={"fps": (None, "2"), "url": (None, url("slow.mp4"))})
    ended("parts")
    is_equal(names("parts"), names("upload"))


def check_latest_frame_lasts():
    """During a decode, after it, after a stop: with the media time that is in the picture."""
    decode("latest", url=url("even.mp4"), fps="5")
    ended("latest")
    newest = whole_frames("latest")[0][-1]
    response = client.get("latest-frame/", params={"camera_id": "latest"})
    is_equal((response.status_code, response.headers["content-type"]), (200, "image/jpeg"))
    is_equal(response.content, newest.read_bytes())
    told = comment(response.content)
    is_equal(response.headers["x-media-time-pts"], told["pts"])
    is_equal(response.headers["x-media-time-base"], told["time_base"])
    assert abs(float(response.headers["x-media-time"]) - float(told["seconds"])) < 1e-5
    is_equal(int(response.headers["x-frame-number"]), int(newest.stem.removeprefix("frame_")))
    answer(client.post("decode/stop/", data={"camera_id": "latest"}))
    is_equal(client.get("latest-frame", params={"camera_id": "latest"}).content, newest.read_bytes())


def check_anew():
    """A new decode begins at 1, and nothing of the old one stays."""
    decode("anew", url=url("even.mp4"), fps="5")
    ended("anew")
    is_equal(len(names("anew")), ended("anew")["frame_count"])
    decode("anew", url=url("slow.mp4"), fps="1")
    count = ended("anew")["frame_count"]
    assert 3 <= count <= 5, count
    is_equal(len(whole_frames("anew")[0]), count)
    newest = whole_frames("anew")[0][-1].read_bytes()
    is_equal(client.get("latest-frame/", params={"camera_id": "anew"}).content, newest)


def check_one_decode_at_a_time():
    decode("busy", url=url("camera.mp4"), fps="30")
    assert "detail" in decode("busy", 409, url=url("even.mp4"))
    with open(MEDIA / "slow.mp4", "rb") as video:
        decode("busy", 409, files={"file": video})
    for path in ("decode/stop/", "decode/stop"):
        stopped = answer(client.post(path, data={"camera_id": "busy"}))
        assert stopped["message"] and stopped["status"] == "stopped", stopped
    is_equal(status_of("busy")["status"], "stopped")
    decode("busy", url=url("slow.mp4"))
    ended("busy")


def check_refusals():
    def refused(response, *statuses):
        assert response.status_code in statuses, f"{response.status_code}: {response.text[:300]}"
        is_equal(list(response.json()), ["detail"])
        assert response.json()["detail"], response.text

    def post(status, files=None, **fields):
        refused(client.post("decode/", data=fields, files=files), *status)

    bad = (400, 422)
    good = url("slow.mp4")
    for path in ("decode/status/", "decode/status", "latest-frame/", "latest-frame"):
        refused(client.get(path, params={"camera_id": "nobody"}), 404)
        refused(client.get(path), *bad)
        refused(client.get(path, params={"camera_id": "../etc"}), *bad)
    refused(client.post("decode/stop/", data={"camera_id": "nobody"}), 404)
    refused(client.post("decode/stop/"), *bad)
    post(bad, url=good)
    for camera in ("../up", "a/b", "/etc", "..", ".", "a\\b", "a" * 65, "x" * 5000, "", "a b", "a\n", "é", "-x", "%2e%2e"):
        post(bad, camera_id=camera, url=good)
    for fps in ("0", "-1", "x", "nan", "inf", "1e9", "1e-12", "", " ", "0x10", "1/0", "9" * 400):
        if fps.strip():
            post(bad, camera_id="bad", url=good, fps=fps)
    for place in (
        "gopher://x/y", "javascript:alert(1)", "nonsense", "concat:a|b", "rtsp://", "ftp://x/y",
        "http://169.254.169.254/latest/meta-data", "rtsp://169.254.1.1/x", "http://[fd00:ec2::254]/x",
        "file:///etc/passwd", f"file://{MEDIA}/../store/ocelli.db", f"file://{MEDIA}/absent.mp4", "/etc/passwd",
        f"file://{FRAMES}/written/frame_0001.jpg",
    ):  # fmt: skip
        refused(client.post("decode/", data={"camera_id": "bad", "url": place}), *bad, 404)
    post(bad, camera_id="bad")
    with open(MEDIA / "slow.mp4", "rb") as video:
        post(bad, files={"file": video}, camera_id="bad", url=good)
    post(bad, camera_id="bad", url=good, force_format="quantum")
    refused(client.get("decode/status/", params={"camera_id": "bad"}), 404)
    noise = bytes((n * 7919) % 251 for n in range(20000))
    whole = (MEDIA / "slow.mp4").read_bytes()
    for content in (b"", b"hello", noise, whole[:600], whole[: len(whole) // 2], b"\x89PNG\r\n\x1a\n" + noise):
        refused(client.post("decode/", data={"camera_id": "bad"}, files={"file": ("x.mp4", content)}), *bad, 415)
        refused(client.post("video-info/", files={"video": ("x.mp4", content)}), *bad, 415)
    refused(client.post("video-info/"), *bad)
    refused(client.get("decode/status/", params={"camera_id": "bad"}), 404)
    refused(client.get("nowhere/"), 404)
    refused(client.get("decode/"), 405)


def check_force_format():
    decode("software", url=url("slow.mp4"), force_format="none")
    ended("software")
    # A device that is not here: it decodes all the same, or says why not.
    decode("device", url=url("slow.mp4"), force_format="cuda")
    status = until("device", lambda status: status["status"] not in GOING)
    assert status["status"] == "completed" or status["last_error"], status


def main():
    checks = [value for name, value in globals().items() if name.startswith("check_")]
    failed = 0
    for check in checks:
        try:
            check()
        except Exception:
            failed += 1
            print(f"{check.__name__}:\n{traceback.format_exc()}")
    print(f"{len(checks)} checks, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
