//! `oracle CLIP FPS`: the plan of an H.264 clip as JSON, picture types and references as `ffprobe` decodes them, never as our
//! own parser reads them.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{self, Write as _},
    process::Command,
};

use anyhow::{Context as _, Result, bail, ensure};
use ocelli_benches::{Kind, Plan};
use ocelli_model::{SamplingPlan, TimeBase};
use ocelli_testkit::oracle::{Choice, Picture, choose};

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [clip, fps] = arguments.as_slice() else { bail!("usage: oracle CLIP FPS") };
    let plan: SamplingPlan = fps.parse()?;
    let base = time_base(clip)?;
    let pictures = pictures(clip)?;
    let choice = choose(&pictures, base, plan, reorder_depth(&pictures));
    let plan = written(&pictures, base, &choice)?;
    let mut out = io::stdout().lock();
    serde_json::to_writer(&mut out, &plan)?;
    Ok(writeln!(out)?)
}

/// Lines of comma-separated values.
fn ffprobe(clip: &str, options: &[&str]) -> Result<Vec<Vec<String>>> {
    let mut command = Command::new("ffprobe");
    command.args(["-loglevel", "error", "-select_streams", "v:0", "-of", "csv=print_section=0"]);
    let done =
        command.args(options).arg(clip).output().context("ffprobe cannot be run: ./dev setup installs it")?;
    ensure!(done.status.success(), "ffprobe: {}", String::from_utf8_lossy(&done.stderr));
    let text = String::from_utf8(done.stdout)?;
    // Side data leaves empty lines behind.
    Ok(text
        .lines()
        .filter(|line| !line.is_empty())
        .map(|line| line.split([',', '/']).map(str::to_owned).collect())
        .collect())
}

fn time_base(clip: &str) -> Result<TimeBase> {
    let lines = ffprobe(clip, &["-show_entries", "stream=codec_name,time_base"])?;
    let [codec, num, den] = lines.first().context("no video stream")?.as_slice() else {
        bail!("no time base")
    };
    ensure!(codec == "h264", "benchmark clips are H.264, not {codec}");
    Ok(TimeBase::new(num.parse()?, den.parse()?)?)
}

/// PTS, and whether the decoder calls it an intra-coded keyframe, of each frame that comes out.
fn frames(clip: &str, options: &[&str]) -> Result<BTreeMap<i64, bool>> {
    let mut wanted = options.to_vec();
    wanted.extend(["-show_entries", "frame=key_frame,pts,pict_type"]);
    let read = |line: Vec<String>| {
        let [key, pts, kind, ..] = line.as_slice() else { bail!("ffprobe wrote {line:?}") };
        Ok((pts.parse()?, key == "1" && kind == "I"))
    };
    ffprobe(clip, &wanted)?.into_iter().map(read).collect()
}

fn pictures(clip: &str) -> Result<Vec<Picture>> {
    let all = frames(clip, &[])?;
    let references = frames(clip, &["-skip_frame", "noref"])?;
    let packets = ffprobe(clip, &["-show_entries", "packet=pts"])?;
    let picture = |line: Vec<String>| {
        let pts: i64 = line.first().context("an empty line from ffprobe")?.parse()?;
        let keyframe = *all.get(&pts).with_context(|| format!("no frame came out at PTS {pts}"))?;
        Ok(Picture { pts, keyframe, reference: references.contains_key(&pts), radl: false })
    };
    packets.into_iter().map(picture).collect()
}

/// Most pictures decoded before one and shown after it; these clips reorder within a few.
fn reorder_depth(pictures: &[Picture]) -> usize {
    const WINDOW: usize = 32;
    let depth = |i: usize| {
        pictures[i.saturating_sub(WINDOW)..i].iter().filter(|earlier| earlier.pts > pictures[i].pts).count()
    };
    (0..pictures.len()).map(depth).max().unwrap_or(0)
}

fn written(pictures: &[Picture], base: TimeBase, choice: &Choice) -> Result<Plan> {
    let chosen: Vec<_> = choice.runs.iter().flat_map(|run| &run.chosen).collect();
    ensure!(choice.runs.len() == 1, "benchmark clips are one run, not {}", choice.runs.len());
    let after_gap = |&&i: &&usize| pictures[i].keyframe && i > 0 && !choice.needed.contains(&(i - 1));
    let in_order: BTreeSet<i64> = pictures.iter().map(|picture| picture.pts).collect();
    let rank: BTreeMap<i64, usize> = in_order.into_iter().zip(0..).collect();
    let all = |holds: fn(&Picture) -> bool| chosen.iter().all(|one| holds(&pictures[one.index]));
    let kind = if all(|picture| picture.keyframe) {
        Kind::Keyframes
    } else if all(|picture| picture.reference) {
        Kind::References
    } else {
        Kind::Any
    };
    Ok(Plan {
        time_base: (base.num(), base.den()),
        pictures: pictures.len(),
        needed: choice.needed.iter().copied().collect(),
        restarts: choice.needed.iter().filter(after_gap).copied().collect(),
        chosen: chosen.iter().map(|one| one.pts).collect(),
        shown: chosen.iter().map(|one| rank[&one.pts]).collect(),
        kind,
    })
}
