"""How each side is called: ours, the floor, ffmpeg, the Python peers."""

import json
import subprocess
from pathlib import Path

from measure import Side, json_lines_pts, json_pts
from quality import pts_of

PEERS = Path(__file__).parent / "peers"
# Ends after the first picture, which every clip has at 0 s.
FIRST = ["--end", "0.001"]


class Bench:
    """Programs and folders of one run of the benchmark."""

    def __init__(self, programs, home, python, folder, quality):
        self.programs, self.home, self.python, self.folder, self.quality = programs, home, python, folder, quality
        self.model = home / "models/ssdlite_mobilenet_v2_coco.onnx"
        self.scratch = folder / "scratch"
        self.plans = folder / "plans"
        self.scratch.mkdir(parents=True, exist_ok=True)
        self.plans.mkdir(exist_ok=True)

    def plan(self, clip, fps, end=None):
        """(path, content) of the oracle's plan; `end` keeps the choices before that second, and the packets they take."""
        path = self.plans / f"{clip.stem}-{str(fps).replace('/', '_')}.json"
        if not path.exists():
            made = subprocess.run([self.programs / "oracle", clip, str(fps)], check=True, capture_output=True).stdout
            path.write_bytes(made)
        plan = json.loads(path.read_text())
        if end is None:
            return path, plan
        num, den = plan["time_base"]
        plan["chosen"] = [pts for pts in plan["chosen"] if pts * num < end * den]
        plan["shown"] = plan["shown"][: len(plan["chosen"])]
        # Only for peers, which do not look at packets: that the kept choices are keyframes is what makes this plan worth having.
        plan["kind"] = "keyframes"
        del plan["needed"], plan["restarts"]
        path = path.with_name(f"{path.stem}-to-{end}.json")
        path.write_text(json.dumps(plan))
        return path, plan

    def first(self, path):
        """That plan's first picture alone, the clip's first keyframe: start-up, as every side has it."""
        plan = json.loads(path.read_text())
        plan |= {"needed": [0], "restarts": [], "pictures": 1, "chosen": plan["chosen"][:1], "shown": plan["shown"][:1]}
        path = path.with_name(f"{path.stem}-first.json")
        path.write_text(json.dumps(plan))
        return path

    def extract(self, clip, fps, quality=None):
        out = self.scratch / "frames"
        command = [self.programs / "ocelli", "extract", clip, "--out", out, "--overwrite", "--fps", fps]
        command += ["--quality", quality or self.quality]
        seen = lambda _: [pts_of(path) for path in sorted(out.glob("frame_*.jpg"), key=lambda path: (len(path.name), path))]
        return Side("ours", command, [*command, *FIRST], seen)

    def extract_floor(self, clip, plan):
        of = lambda plan: [self.programs / "floor", "extract", clip, plan, self.quality]
        return Side("floor", of(plan), of(self.first(plan)), json_pts)

    def ffmpeg(self, clip, fps, q=None):
        out = self.scratch / ("frames-ffmpeg" if q is None else "frames-ffmpeg-q")
        out.mkdir(exist_ok=True)
        command = ["ffmpeg", "-nostdin", "-loglevel", "error", "-y", "-i", clip, "-vf", f"fps={fps}"]
        command += [] if q is None else ["-q:v", q]

        def seen(_):
            made = list(out.glob("frame_*.jpg"))
            for path in made:
                path.unlink()
            return len(made)

        name = "ffmpeg, its default quality" if q is None else "ffmpeg"
        return Side(name, [*command, out / "frame_%04d.jpg"], [*command, "-frames:v", 1, out / "frame_%04d.jpg"], seen)

    def analyze(self, clip, fps, *options, name="ours"):
        command = [self.programs / "ocelli", "analyze", clip, "--fps", fps, *options]
        # A window may be given once.
        rest = options[2:] if options[:1] == ("--end",) else options
        return Side(name, command, [*command[:5], *rest, *FIRST], json_lines_pts)

    def analyze_kept(self, clip, fps):
        """With a store, new for each run."""
        store, bare = self.scratch / "store", self.analyze(clip, fps, name="ours, --store")
        anew = ["sh", "-c", 'rm -rf "$1"; shift; exec "$@"', "sh", store]
        kept = lambda command: [*anew, *command, "--store", store]
        return Side(bare.name, kept(bare.command), kept(bare.startup), bare.seen)

    def analyze_floor(self, clip, plan, precision, instances=1):
        model = [self.home, self.model, precision, instances]
        of = lambda plan: [self.programs / "floor", "analyze", clip, plan, *model]
        return Side("floor" if instances == 1 else f"floor x{instances}", of(plan), of(self.first(plan)), json_pts)

    def opencv(self, clip, plan):
        of = lambda plan: [self.python, PEERS / "opencv_onnxruntime.py", clip, plan, self.model]
        return Side("OpenCV + ONNX Runtime", of(plan), of(self.first(plan)), json_lines_pts)

    def pyav(self, clip, plan, name="PyAV + OpenVINO"):
        of = lambda plan: [self.python, PEERS / "pyav_openvino.py", clip, plan, self.model]
        return Side(name, of(plan), of(self.first(plan)), json_lines_pts)
