"""Rows of recording and playback: what publishers, cameras and viewers cost, and how soon the archive answers."""

import json
import random
import shutil
import statistics
import subprocess
import time
from contextlib import ExitStack
from pathlib import Path

import media
import nginx
from measure import Broken
from mirror import Client, Mirror
from server import Process, RtspServer, Server
from serving import spent

STREAMS = 4
# CPU of ours in times of nginx; of a core for a recorded stream; ms beside the decode that is needed; ms for an hour's playlist.
PUBLISHED, RECORDED, BESIDE_MS, HOUR_MS = 1.0, 0.01, 30, 50
# Each position in so many turns of both sides, of which the least counts: the others tell what else the machine did.
POSITIONS, TURNS, ASKED, SEED = 50, 3, 20, 5
VIEWERS = 500
# Connections, the first segments: not what a stream costs in the long run.
WARM_S = 6
SECRET = "only-for-benches"
DEMO = Path(__file__).parent.parent / "clients/demo/dist"
CHROMIUM = "/usr/bin/chromium"
QUALITY = 90


class Recording:
    """One part after the other, each with a server of its own."""

    def __init__(self, bench, clips, quick):
        self.bench, self.clips = bench, clips
        self.window_s = 20 if quick else 60
        self.folder = bench.scratch / "recording"
        self.live = bench.programs / "live"
        self.nginx = nginx.found(bench.home)
        # Longer than any part, so that no end of a clip lies in a window.
        self.long = lambda clip: media.repeated(clips.folder, clip, 2 if quick else 4)

    def measure(self):
        """Figures of all parts, for the table and the JSON file. Nothing where what it takes is not on this machine."""
        self.folder.mkdir(parents=True, exist_ok=True)
        found = {}
        for name in ("publishers", "cameras", "pictures", "hour", "viewers", "overlay"):
            print(f"   record: {name}", flush=True)
            found[name] = getattr(self, name)()
        shutil.rmtree(self.folder, ignore_errors=True)
        return found

    def server(self, *settings):
        shutil.rmtree(self.folder / "server", ignore_errors=True)
        # Files are read from where clips and films lie.
        folders = f"{self.clips.folder.absolute()},{self.folder.absolute()}"
        return Server(self.bench.programs, self.folder / "server", f"media.folders={folders}", *settings)

    def peer(self, stack):
        """nginx, with the recordings of our server below /media/; nothing where it is not there."""
        if self.nginx is None:
            print("   no nginx with its RTMP module: the rows against it are left out", flush=True)
            return None
        shutil.rmtree(self.folder / "nginx", ignore_errors=True)
        media_folder = self.folder.absolute() / "server/recordings/media"
        return stack.enter_context(nginx.Nginx(*self.nginx, self.folder / "nginx", media_folder))

    def publishers(self):
        """Both sides at once over the same window: whatever the machine does meanwhile, it does to both."""
        clip = self.long(media.sounded(self.clips.folder, self.clips("gop2")))
        with ExitStack() as stack:
            server, peer = stack.enter_context(self.server()), self.peer(stack)
            urls = [f"{server.rtmp_url()}/live/p{index}?secret={SECRET}" for index in range(STREAMS)]
            for index in range(STREAMS):
                server.stream(f"p{index}", f"publish:p{index}", 1, record={}, publish={"secret": SECRET})
            if peer:
                urls += [f"rtmp://127.0.0.1:{peer.rtmp_port}/live/p{index}" for index in range(STREAMS)]
            for index, url in enumerate(urls):
                stack.enter_context(self.publisher(clip, url, index))
            server.wait_for(STREAMS)
            time.sleep(WARM_S)
            look = lambda: {
                "ours": (server.cpu(), *recorded(server, "p")),
                **({"nginx": (peer.cpu(), *peer.written())} if peer else {}),
            }
            before, began = look(), time.monotonic()
            time.sleep(self.window_s)
            after, seconds = look(), time.monotonic() - began
            gaps = sum(len(server.recording(f"p{index}")["gaps"]) for index in range(STREAMS))
        return {"streams": STREAMS, "seconds": seconds, "gaps": gaps, "sides": differences(before, after)}

    def publisher(self, clip, url, index):
        command = ["ffmpeg", "-nostdin", "-loglevel", "error", "-re", "-i", clip, "-c", "copy", "-f", "flv", url]
        return Process(command, self.folder / f"publisher-{index}-log")

    def cameras(self):
        """Recording and nothing else, beside the bare receiving of the same."""
        clip = self.long(self.clips("gop2"))
        with RtspServer(self.folder / "rtsp-log", clip) as source, self.server() as server:
            command = [self.live, "receive", source.url(), STREAMS]
            with Process(command, self.folder / "floor-log", stdin=subprocess.PIPE) as floor:
                for index in range(STREAMS):
                    server.stream(f"c{index}", source.url(), 1, record={})
                server.wait_for(STREAMS)
                time.sleep(WARM_S)
                look = lambda: {"ours": (server.cpu(), *recorded(server, "c")), "floor": (floor.cpu(), int(floor.ask()), 0)}
                stages, before, began = server.metrics(), look(), time.monotonic()
                time.sleep(self.window_s)
                after, seconds, stages_after = look(), time.monotonic() - began, server.metrics()
            gaps = sum(len(server.recording(f"c{index}")["gaps"]) for index in range(STREAMS))
        stages = spent(stages, stages_after)
        return {"streams": STREAMS, "seconds": seconds, "gaps": gaps, "sides": differences(before, after), "stages": stages}

    def kept(self, server, name, clip):
        """Records a whole file at full speed; how long that took, and how much of it is missing."""
        began = time.monotonic()
        server.stream(name, f"file://{clip.absolute()}", 1, record={})
        server.wait_for(1, 600, "completed")
        seconds = time.monotonic() - began
        gaps = self.settled(server, name)["gaps"]
        if gaps:
            print(f"   {clip.name} is not kept whole: {len(gaps)} gaps, such as {gaps[0]}", flush=True)
        return {"seconds": seconds, "media_seconds": media_seconds(clip), "gaps": len(gaps)}

    def kept_again(self, server, name):
        """The same as one more run."""
        before, end = server.recording(name)["segments"], time.monotonic() + 60
        server.call("POST", f"/api/v1/streams/{name}/start")
        while server.recording(name)["segments"] == before:
            if time.monotonic() > end:
                raise Broken(f"nothing more is recorded: {server.status()}")
            time.sleep(0.05)
        server.wait_for(1, 600, "completed")
        self.settled(server, name)

    def settled(self, server, name):
        """Its recording when nothing was added to it for 2 s: the stream ends before the disk has it all."""
        since, last = time.monotonic(), server.recording(name)
        while time.monotonic() < since + 2:
            time.sleep(0.2)
            now = server.recording(name)
            since, last = (since, last) if now == last else (time.monotonic(), now)
        return last

    def pictures(self):
        """The first picture of random positions, ours and the decode that it needs in turn."""
        clip = media.repeated(self.clips.folder, self.clips("gop2b"), 4)
        with self.server() as server:
            kept = self.kept(server, "f", clip)
            folder = server.folder / "recordings/media/f/0"
            command = [self.bench.programs / "stills", folder, QUALITY]
            with Process(command, self.folder / "stills-log", stdin=subprocess.PIPE) as stills:
                positions = random.Random(SEED).sample(json.loads(stills.line()), POSITIONS)
                client = Client(server.address)
                turns = [[self.picture(client, stills, pts) for _ in range(TURNS)] for pts in positions]
        least = lambda looks, key: min(look[key] for look in looks)
        looks = [looks[0] | {key: least(looks, key) for key in ("ours_ms", "needed_ms")} for looks in turns]
        return {"pictures": looks, "kept": kept}

    def picture(self, client, stills, pts):
        headers, body, ms = client.get(f"/api/v1/streams/f/frame.jpg?run=0&pts={pts}&quality={QUALITY}")
        if int(headers["X-Media-Time-Pts"]) != pts or body[:2] != b"\xff\xd8":
            raise Broken(f"asked for PTS {pts}, got {headers['X-Media-Time-Pts']}")
        needed = json.loads(stills.ask(pts))
        return {"pts": pts, "ours_ms": ms, "needed_ms": needed["ms"], "decoded": needed["decoded"], "bytes": len(body)}

    def hour(self):
        """Segments of two seconds each, whatever is in them."""
        clip = media.sparse(self.clips.folder)
        with self.server() as server:
            self.kept(server, "h", clip)
            for _ in range(int(3600 / media_seconds(clip)) - 1):
                self.kept_again(server, "h")
            recording = server.recording("h")
            client, waits = Client(server.address), []
            for _ in range(ASKED):
                window = f"start={recording['oldest_ms']}&end={recording['newest_ms'] + 1}"
                _, body, ms = client.get(f"/api/v1/streams/h/hls/archive.m3u8?{window}")
                waits.append(ms)
        lengths = [float(line[8:].rstrip(",")) for line in body.decode().splitlines() if line.startswith("#EXTINF:")]
        return {"segments": len(lengths), "seconds": sum(lengths), "bytes": len(body), "ms": waits}

    def viewers(self):
        """Plain players of ours and of nginx, which serves the same sealed files; then players with low latency."""
        clip = self.long(self.long(self.clips("gop2")))
        with ExitStack() as stack:
            server, peer = stack.enter_context(self.server()), self.peer(stack)
            server.stream("v", f"file://{clip.absolute()}", 1, record={}, source={"pace": "real_time"})
            server.wait_for(1)
            time.sleep(WARM_S)
            path = "/api/v1/streams/v/hls/live.m3u8"
            alone, sides = self.cpu_per_second(server), {}
            sides["plain"] = self.viewed(server, server.address, path, "plain")
            sides["low"] = self.viewed(server, server.address, path, "low")
            if peer:
                with Mirror(server, path, peer.folder / "www/live.m3u8", "v"):
                    sides["nginx"] = self.viewed(peer, f"127.0.0.1:{peer.http_port}", "/live.m3u8", "plain")
            for name in ("plain", "low"):
                sides[name]["cpu_s"] -= alone * sides[name]["seconds"]
            rate = clip.stat().st_size / media_seconds(clip)
        return {"viewers": VIEWERS, "bytes_per_second": rate, "alone": alone, "sides": sides}

    def viewed(self, process, address, path, how):
        command = [self.live, "view", address, path, VIEWERS, how]
        with Process(command, self.folder / "view-log", stdin=subprocess.PIPE) as view:
            if view.line() != "ready":
                raise Broken("the viewers are not ready")
            time.sleep(WARM_S)
            before, began, cpu = json.loads(view.ask()), time.monotonic(), process.cpu()
            time.sleep(self.window_s)
            after, cpu, seconds = json.loads(view.ask()), process.cpu() - cpu, time.monotonic() - began
        return {"seconds": seconds, "cpu_s": cpu} | {key: after[key] - before[key] for key in after}

    def cpu_per_second(self, server):
        began, cpu = time.monotonic(), server.cpu()
        time.sleep(self.window_s / 2)
        return (server.cpu() - cpu) / (time.monotonic() - began)

    def overlay(self):
        """What the proof of `clients/demo` says of a film whose pictures carry their number; nothing where it is not built."""
        if shutil.which("node") is None or not Path(CHROMIUM).is_file() or not (DEMO / "prove.js").is_file():
            print("   no node, no chromium, or clients/demo is not built: no row of the overlay", flush=True)
            return None
        film = self.folder / "film.mp4"
        subprocess.run(["node", DEMO / "film.js", "live", film], check=True)
        with self.server() as server:
            source = {"pace": "real_time", "repeat": True}
            server.stream("numbers", f"file://{film.absolute()}", 5, record={}, models=[{}], gate=False, source=source)
            server.wait_for(1)
            time.sleep(WARM_S)
            command = ["node", DEMO / "prove.js", "--base", f"http://{server.address}", "--stream", "numbers"]
            command += ["--seconds", str(self.window_s), "--film", "live", "--chromium", CHROMIUM]
            said = subprocess.run(command, capture_output=True, text=True)
        lines = [json.loads(line) for line in said.stdout.splitlines() if line.startswith("{")]
        if not lines:
            raise Broken(f"the proof says nothing: {said.stdout[-500:]} {said.stderr[-1500:]}")
        return lines


def media_seconds(clip):
    command = ["ffprobe", "-v", "error", "-show_entries", "format=duration", "-of", "csv=p=0", clip]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def recorded(server, prefix):
    """Sealed segments of all streams, and their bytes."""
    streams = [server.recording(f"{prefix}{index}") for index in range(STREAMS)]
    return sum(one["segments"] for one in streams), sum(one["bytes"] for one in streams)


def differences(before, after):
    """CPU seconds, pieces and bytes of each side over the window."""
    words = ("cpu_s", "pieces", "bytes")
    return {side: {word: after[side][i] - before[side][i] for i, word in enumerate(words)} for side in after}


def high(values):
    """The 95th percentile: no more than a twentieth lies above it."""
    return statistics.quantiles(values, n=20, method="inclusive")[-1]


def rows(table, found):
    """Puts the figures into the table."""
    publisher_rows(table, found["publishers"])
    camera_rows(table, found["cameras"])
    picture_rows(table, found["pictures"])
    hour = found["hour"]
    # One segment short of it is an hour all the same.
    whole = hour["seconds"] >= 3595
    seen = f"{hour['segments']:,} segments, median {statistics.median(hour['ms']):.1f} ms"
    table.value("record: an hour of archive as a playlist, p95", seen, f"{high(hour['ms']):.1f} ms", "",
                f"<= {HOUR_MS} ms", whole and high(hour["ms"]) <= HOUR_MS)
    kept = found["pictures"]["kept"]
    seen = f"{kept['media_seconds'] / kept['seconds']:.0f} times as fast as real time"
    words = f"record: {kept['media_seconds'] / 60:.0f} min of 1080p30 4 Mb/s from a file at full speed, gaps"
    table.value(words, seen, str(kept["gaps"]), "", "0", kept["gaps"] == 0)
    viewer_rows(table, found["viewers"])
    for one in found["overlay"] or []:
        # The film's own numbers are the truth. No model reads them, so that boxes are the matter of `npm run prove`.
        wrong = len(one["complaints"]) + len(one["errors"])
        words = f"record: the join, {one['player']} player, pictures under another PTS"
        table.value(words, f"{one['checked']:,} pictures shown", f"{wrong} complaints", "", "0", wrong == 0 < one["checked"])


def whole_seconds(side, found):
    """Whether the segments of the window are as many as its seconds ask for: of 2 s each, one more or less for each stream."""
    return abs(side["pieces"] - found["seconds"] / 2 * found["streams"]) <= found["streams"]


def publisher_rows(table, found):
    sides, streams = found["sides"], found["streams"]
    each = lambda side: side["cpu_s"] / found["seconds"] / streams
    what = f"record: {streams} RTMP publishers, 1080p30 4 Mb/s and AAC, of a core each"
    ours, whole = sides["ours"], found["gaps"] == 0 and whole_seconds(sides["ours"], found)
    if "nginx" not in sides:
        table.value(what, "", f"{each(ours):.2%}", "", None, None if whole else False)
        return
    ratio = each(ours) / max(each(sides["nginx"]), 1e-9)
    whole = whole and whole_seconds(sides["nginx"], found)
    table.value(f"{what} ({ratio:.2f} times)", "nginx, plain HLS", f"{each(ours):.2%}", f"{each(sides['nginx']):.2%}",
                f"<= {PUBLISHED:g}", whole and ratio <= PUBLISHED)


def camera_rows(table, found):
    sides, streams = found["sides"], found["streams"]
    each = lambda side: side["cpu_s"] / found["seconds"] / streams
    whole = found["gaps"] == 0 and whole_seconds(sides["ours"], found)
    table.value(f"record: {streams} RTSP streams 1080p30 4 Mb/s, of a core each", "bare receive", f"{each(sides['ours']):.2%}",
                f"{each(sides['floor']):.2%}", f"<= {RECORDED:.0%}", whole and each(sides["ours"]) <= RECORDED)


def picture_rows(table, found):
    beside = [one["ours_ms"] - one["needed_ms"] for one in found["pictures"]]
    needed = statistics.median(one["needed_ms"] for one in found["pictures"])
    what = f"record: picture of {len(beside)} positions, GOP 2 s with B, beyond needed decode, p95"
    table.value(what, f"needed, median {needed:.0f} ms", f"{high(beside):.1f} ms", "", f"<= {BESIDE_MS} ms", high(beside) <= BESIDE_MS)


def viewer_rows(table, found):
    sides, viewers = found["sides"], found["viewers"]
    each = lambda side: side["cpu_s"] / side["seconds"] / viewers
    words = lambda side: f"{each(side) * 1e3:.3f} ms/s"
    due = lambda side: viewers * found["bytes_per_second"] * side["seconds"]
    # Whoever did not get it all did not cost what it costs.
    whole = lambda side: side["gaps"] == side["missing"] == 0 and side["bytes"] >= 0.9 * due(side)
    told = lambda side: None if whole(side) else False
    what = f"record: {viewers} viewers of one stream, HLS, CPU each"
    plain_side, peer = sides["plain"], sides.get("nginx")
    if peer:
        ratio = each(plain_side) / max(each(peer), 1e-9)
        both = None if whole(plain_side) and whole(peer) else False
        table.value(f"{what} ({ratio:.2f} times)", "nginx, the same files", words(plain_side), words(peer), None, both)
    else:
        table.value(what, "", words(plain_side), "", None, told(plain_side))
    low = sides["low"]
    asked = low["playlists"] + low["pieces"]
    table.value(f"record: {viewers} viewers, LL-HLS, CPU each", f"{asked / low['seconds']:,.0f} answers/s", words(low), "", None, told(low))
