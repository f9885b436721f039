"""Rows of a running server: what streams, followers and changes of streams cost it, beside bare programs that do the same work."""

import json
import shutil
import subprocess
import time

import media
from measure import Broken
from server import Process, RtspServer, Server

RECEIVE, FFMPEG = 1.3, 4.0
QUIET_STREAMS, QUIET_LOAD, FALSE_OPEN = 100, 0.70, 0.01
WAIT_MS, LATENCY_LOAD = 30, 0.50
STREAM_MB, LEVEL = 6, 0.05
CYCLES = 50
FOLLOWERS = 1000
# Connections, first pictures, the gate's background: not what a stream costs in the long run.
WARM_S, GATE_WARM_S = 6, 15


class Serving:
    """One part after the other, each with a server of its own."""

    def __init__(self, bench, clips, quick):
        self.bench, self.clips = bench, clips
        self.window_s = 20 if quick else 60
        self.folder = bench.scratch / "serving"
        self.live = bench.programs / "live"
        # Longer than any part, so that no end of a clip lies in a window.
        times = 2 if quick else 4
        self.long = lambda clip: media.repeated(clips.folder, clip, times)

    def server(self, *settings):
        shutil.rmtree(self.folder / "server", ignore_errors=True)
        return Server(self.bench.programs, self.folder / "server", *settings)

    def source(self, *files, shared=False):
        return RtspServer(self.folder / "rtsp-log", *files, shared=shared)

    def floor(self, url, streams):
        command = [self.live, "floor", url, streams, self.bench.quality]
        return Process(command, self.folder / "floor-log", stdin=subprocess.PIPE)

    def measure(self):
        """Figures of all parts, for the table and the JSON file."""
        self.folder.mkdir(parents=True, exist_ok=True)
        found = {}
        for name in ("few", "many", "quiet", "gate", "latency", "memory", "cycles", "followers"):
            print(f"   serve: {name}", flush=True)
            found[name] = getattr(self, name)()
        shutil.rmtree(self.folder, ignore_errors=True)
        return found

    def few(self):
        return self.extracting(4, ffmpeg=True)

    def many(self):
        return self.extracting(16)

    def extracting(self, streams, ffmpeg=False):
        """All sides at once over the same window: whatever the machine does meanwhile, it does to all of them."""
        clip = self.clips("gop1")
        # The last slot of the clip holds no keyframe; looped, none is the last.
        if any(index % 30 for index in self.bench.plan(clip, 1)[1]["needed"][: media.SECONDS - 1]):
            raise Broken("the oracle's choice of this clip is not its keyframes, which the floor decodes")
        with self.source(self.long(clip)) as source, self.server() as server, self.floor(source.url(), streams) as floor:
            for index in range(streams):
                server.stream(f"s{index}", source.url(), 1, frames={"quality": self.bench.quality})
            peers = [self.ffmpeg(source.url(), index) for index in range(streams if ffmpeg else 0)]
            try:
                server.wait_for(streams)
                time.sleep(WARM_S)
                found = self.compared(server, floor, peers)
            finally:
                for peer in peers:
                    peer.__exit__()
        for side in found["sides"].values():
            # A picture more or less where the window begins and ends, for each stream.
            if abs(side["pictures"] - found["seconds"] * streams) > 2 * streams:
                raise Broken(f"{streams} streams for {found['seconds']:.0f} s, and {side['pictures']} pictures: {found}")
        return found | {"streams": streams}

    def ffmpeg(self, url, index):
        out = self.folder / f"ffmpeg-{index}"
        # What an earlier run left would be counted.
        shutil.rmtree(out, ignore_errors=True)
        out.mkdir()
        command = ["ffmpeg", "-nostdin", "-loglevel", "error", "-y", "-rtsp_transport", "tcp", "-i", url, "-vf", "fps=1"]
        return Process([*command, "-q:v", self.bench.found["q"], out / "frame_%d.jpg"], self.folder / f"ffmpeg-{index}-log")

    def compared(self, server, floor, peers):
        """CPU seconds and pictures of each side over the window."""
        made = lambda: sum(1 for _ in self.folder.glob("ffmpeg-*/frame_*.jpg"))
        look = lambda: {
            "ours": (server.cpu(), written(server)),
            "floor": (floor.cpu(), int(floor.ask())),
            "ffmpeg": (sum(peer.cpu() for peer in peers), made()),
        }
        stages, began, before = server.metrics(), time.monotonic(), look()
        time.sleep(self.window_s)
        after, seconds, stages_after = look(), time.monotonic() - began, server.metrics()
        sides = {
            name: {"cpu_s": after[name][0] - before[name][0], "pictures": after[name][1] - before[name][1]}
            for name in (("ours", "floor", "ffmpeg") if peers else ("ours", "floor"))
        }
        return {"seconds": seconds, "sides": sides, "stages": spent(stages, stages_after)}

    def quiet(self):
        """Many cameras that see nothing move; every picture is looked at by the gate, a few by the model."""
        clip = self.long(media.quiet(self.clips.folder, self.clips.footage))
        with self.source(clip) as source, self.server() as server:
            for index in range(QUIET_STREAMS):
                server.stream(f"q{index}", source.url(), "all", models=[{}], gate=True)
                # It takes up one client after the other, and those who wait give up.
                if index % 10 == 9:
                    server.wait_for(index + 1)
            time.sleep(GATE_WARM_S)
            before, cpu, others, began = server.metrics(), server.cpu(), source.cpu(), time.monotonic()
            time.sleep(self.window_s)
            after, cpu, seconds = server.metrics(), server.cpu() - cpu, time.monotonic() - began
            others = source.cpu() - others
        slots = {
            verdict: after.get(key, 0) - before.get(key, 0)
            for verdict in ("analysed", "gated", "dropped", "failed")
            for key in [f'ocelli_stream_slots_total{{verdict="{verdict}"}}']
        }
        return {"seconds": seconds, "cpu_s": cpu, "source_cpu_s": others, "slots": slots, "stages": spent(before, after)}

    def gate(self):
        said = subprocess.run([self.bench.programs / "gate", "quality"], check=True, capture_output=True, text=True)
        return json.loads(said.stdout)

    def latency(self):
        clip = self.long(self.clips("gop5pictures", "720p5"))
        with self.source(*[clip] * 4, shared=True) as source, self.server() as server:
            for index in range(4):
                server.stream(f"l{index}", source.url(index), "all", models=[{}], gate=False)
            server.wait_for(4)
            time.sleep(WARM_S)
            before, cpu, began = server.metrics(), server.cpu(), time.monotonic()
            streams = [f"l{index}={source.url(index)}" for index in range(4)]
            seen = subprocess.run(
                [self.live, "latency", server.address, str(self.window_s), *streams], check=True, capture_output=True, text=True
            )
            after, cpu, seconds = server.metrics(), server.cpu() - cpu, time.monotonic() - began
        pictures = after['ocelli_stream_slots_total{verdict="analysed"}'] - before['ocelli_stream_slots_total{verdict="analysed"}']
        stages = spent(before, after)
        # What one picture takes a thread, whoever else is on the machine.
        work = {stage: stages[stage] / pictures * 1e3 for stage in ("decode", "analyze")}
        return {"seconds": seconds, "cpu_s": cpu, "work_ms": work, "pictures": pictures, "seen": json.loads(seen.stdout)}

    def memory(self):
        """Resident memory by streams, of the server and of the bare programs."""
        clip, counts = self.long(self.clips("gop1")), (1, 4, 8)
        levels = {"ours": {}, "floor": {}}
        with self.source(clip) as source, self.server() as server:
            for count in counts:
                for index in range(len(server.status()), count):
                    server.stream(f"m{index}", source.url(), 1, frames={"quality": self.bench.quality})
                with self.floor(source.url(), count) as floor:
                    server.wait_for(count)
                    time.sleep(WARM_S)
                    floor.ask()
                    levels["ours"][count], levels["floor"][count] = server.resident_mb(), floor.resident_mb()
        slope = lambda level: (level[counts[-1]] - level[counts[0]]) / (counts[-1] - counts[0])
        return {"levels_mb": levels, "added_mb": {side: slope(level) for side, level in levels.items()}}

    def cycles(self):
        """Started and stopped over and over, each time until pictures were written."""
        clip = self.long(self.clips("gop1"))
        levels = []
        with self.source(clip) as source, self.server() as server:
            server.stream("c", source.url(), 1, frames={"quality": self.bench.quality}, start=False)
            for _ in range(CYCLES):
                before = written(server)
                server.call("POST", "/api/v1/streams/c/start")
                self.first_picture(server, before)
                server.call("POST", "/api/v1/streams/c/stop")
                levels.append(server.resident_mb())
        return {"levels_mb": levels}

    def first_picture(self, server, before):
        end = time.monotonic() + 30
        while written(server) == before:
            if time.monotonic() > end:
                raise Broken(f"no picture: {server.status()}")
            time.sleep(0.05)

    def followers(self):
        clip = self.long(self.clips("gop5pictures", "720p5"))
        with self.source(clip) as source, self.server() as server:
            server.stream("f", source.url(), "all", models=[{}], gate=False)
            server.wait_for(1)
            time.sleep(WARM_S)
            alone = self.cpu_per_second(server)
            command = [self.live, "follow", server.address, "/api/v1/streams/f/live", FOLLOWERS]
            with Process(command, self.folder / "follow-log", stdin=subprocess.PIPE) as follow:
                if follow.line() != "ready":
                    raise Broken("the followers are not ready")
                before, began, cpu = json.loads(follow.ask()), time.monotonic(), server.cpu()
                time.sleep(self.window_s)
                after, cpu, seconds = json.loads(follow.ask()), server.cpu() - cpu, time.monotonic() - began
        updates = after["updates"] - before["updates"]
        return {
            "seconds": seconds, "updates": updates, "gaps": after["gaps"], "missed": after["missed"],
            "alone_cpu_s": alone * seconds, "cpu_s": cpu, "each_us": (cpu - alone * seconds) / max(updates, 1) * 1e6,
        }  # fmt: skip

    def cpu_per_second(self, server):
        began, cpu = time.monotonic(), server.cpu()
        time.sleep(self.window_s / 2)
        return (server.cpu() - cpu) / (time.monotonic() - began)


def written(server):
    """Pictures in frame folders, of all streams."""
    return server.metrics().get("ocelli_stream_frames_written_total", 0)


def spent(before, after):
    """CPU seconds by stage between two looks at the metrics."""
    head, tail = 'ocelli_stream_cpu_seconds_total{stage="', '"}'
    return {key[len(head) : -len(tail)]: after[key] - before.get(key, 0) for key in after if key.startswith(head)}


def rows(table, found):
    """Puts the figures into the table."""
    for name in ("few", "many"):
        extracting_rows(table, found[name])
    quiet_rows(table, found["quiet"])
    gate_rows(table, found["gate"])
    latency_rows(table, found["latency"])
    memory_rows(table, found["memory"], found["cycles"])
    many, seen = found["followers"], f"{found['followers']['updates']:,} updates"
    whole = many["gaps"] == many["missed"] == 0 and many["updates"] > 0
    words = f"serve: {FOLLOWERS:,} WebSocket followers of one stream"
    table.value(f"{words}, not got", seen, f"{many['gaps'] + many['missed']:,}", "", "0", whole)
    table.value(f"{words}, CPU each", seen, f"{many['each_us']:.1f} us", "", None, None)


def extracting_rows(table, found):
    streams, sides = found["streams"], found["sides"]
    each = lambda side: side["cpu_s"] / side["pictures"]
    words = lambda side: f"{each(side) * 1e3:.1f} ms"
    what = f"serve: {streams} RTSP streams 1080p30 at 1 fps, GOP 1 s, CPU of a picture"
    ours, floor = sides["ours"], sides["floor"]
    ratio = each(ours) / each(floor)
    table.value(f"{what} ({ratio:.2f} times)", "bare receive + decode + JPEG", words(ours), words(floor), f"<= {RECEIVE}",
                ratio <= RECEIVE)
    if "ffmpeg" in sides:
        times = each(sides["ffmpeg"]) / each(ours)
        table.value(f"{what} ({times:.2f} times)", "ffmpeg, one for each", words(ours), words(sides["ffmpeg"]), f">= {FFMPEG:g}",
                    times >= FFMPEG)


def quiet_rows(table, found):
    slots, load = found["slots"], found["cpu_s"] / found["seconds"] / 2
    looked = slots["analysed"] + slots["gated"]
    due = QUIET_STREAMS * 5 * found["seconds"]
    # A rate that was not kept up says nothing about the load.
    whole = slots["dropped"] == slots["failed"] == 0 and looked >= 0.97 * due
    words = f"serve: {QUIET_STREAMS} quiet streams 640x360 at 5 fps, gate on, of two cores"
    seen = f"{looked / due:.1%} looked at, {slots['gated'] / max(looked, 1):.1%} gated"
    table.value(words, seen, f"{load:.1%}", "", f"<= {QUIET_LOAD:.0%}", whole and load <= QUIET_LOAD)


def gate_rows(table, found):
    objects, still = found["objects"], found["still"]
    share = found["opened"] / max(still, 1)
    table.value("serve: gate, moving objects seen", f"{objects} in all weathers", f"{found['seen'] / max(objects, 1):.3f}", "", "1.0",
                found["seen"] == objects > 0)
    table.value("serve: gate, opened without motion", f"{still:,} still pictures", f"{share:.2%}", "", f"<= {FALSE_OPEN:.0%}",
                still > 0 and share <= FALSE_OPEN)


def latency_rows(table, found):
    load, work = found["cpu_s"] / found["seconds"] / 2, sum(found["work_ms"].values())
    seen, limit = found["seen"], sum(found["work_ms"].values()) + WAIT_MS
    # Results of all pictures that came in, but for a second of connecting and those under way.
    whole = seen["pictures"] >= 4 * 5 * (found["seconds"] - 1) - 8 and load <= LATENCY_LOAD
    words = f"serve: 4 streams 720p at 5 fps, arrival to WebSocket, p99, at {load:.0%} of two cores"
    p99 = seen["wait_ms"]["p99"]
    table.value(words, f"decode + inference {work:.1f} ms", f"{p99:.1f} ms", f"its own word {seen['said_ms']['p99']:.1f} ms",
                f"<= {limit:.1f} ms", whole and p99 is not None and p99 <= limit)


def memory_rows(table, memory, cycles):
    added = memory["added_mb"]
    table.memory("serve: memory of one more 1080p stream", "bare receive + decode + JPEG", added["ours"], added["floor"], STREAM_MB)
    levels = cycles["levels_mb"]
    # After a fifth of them everything has been loaded and every pool has grown.
    warm, end = levels[len(levels) // 5], max(levels[-3:])
    table.value(f"serve: memory after {len(levels)} starts and stops", f"after {len(levels) // 5}", f"{end:.1f} MB", f"{warm:.1f} MB",
                f"<= +{LEVEL:.0%}", end <= warm * (1 + LEVEL))
