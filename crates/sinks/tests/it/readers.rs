//! Exports read back by other people's programs: `pycocotools`, `motmetrics`, `pandas`.

use std::{
    env,
    fs::File,
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
};

use ocelli_model::{AnalyzerVersion, BoundingBox, Detection, TimeBase, TrackId, Verdict, VersionBuilder};
use ocelli_sinks::{CocoWriter, CsvWriter, ExportError, FrameRecord, MotWriter, Outcome, Timing};
use serde_json::{Value, json};

const LABELS: [&str; 6] = ["person", "car", "toothbrush", "forklift", "=2+3", "a \"b\", c\né"];
const FRAMES: u64 = 300;
const SIZE: (u32, u32) = (1919, 1080);

/// One frame as it is written; what is read must be this again.
struct Frame {
    input: &'static str,
    run: u64,
    pts: i64,
    slot: Option<i64>,
    detections: Vec<Detection>,
    tracks: Vec<Option<TrackId>>,
}

/// The Python that has the readers, or a line that says what is skipped.
fn python() -> Option<PathBuf> {
    let set = |name| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let data = || set("XDG_DATA_HOME").or_else(|| Some(set("HOME")?.join(".local/share")));
    let home = set("OCELLI_HOME").or_else(|| Some(data()?.join("ocelli")))?;
    let python = home.join("venv-readers/bin/python");
    if python.try_exists().unwrap() {
        return Some(python);
    }
    say(&format!("skipped: exports read back, for want of {}; ./dev test installs it", python.display()));
    None
}

#[expect(clippy::print_stderr, reason = "a skipped test must be seen in the test's output")]
fn say(line: &str) {
    eprintln!("{line}");
}

/// Repeatable and without pattern: splitmix64.
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn fraction(&mut self) -> f32 {
        (self.roll() >> 40) as f32 / (1 << 24) as f32
    }
}

fn detection(dice: &mut Dice) -> Detection {
    let (x, y) = (dice.fraction() - 0.1, dice.fraction() - 0.1);
    let (width, height) = (0.01 + dice.fraction() / 2.0, 0.01 + dice.fraction() / 2.0);
    let label = Arc::from(LABELS[(dice.roll() % LABELS.len() as u64) as usize]);
    Detection { label, confidence: dice.fraction(), bbox: BoundingBox { x, y, width, height } }
}

/// Frames of one input and run with tracks, some without detections.
fn frames(input: &'static str, run: u64, slots: bool) -> Vec<Frame> {
    let mut dice = Dice(run + 7);
    let frame = |index: u64| {
        let detections: Vec<_> = (0..dice.roll() % 6).map(|_| detection(&mut dice)).collect();
        let track =
            |place: u64| (!dice.roll().is_multiple_of(3)).then_some(TrackId(1 + place + 6 * (index / 40)));
        let tracks = (0..detections.len() as u64).map(track).collect();
        let slot = slots.then_some(index as i64);
        Frame { input, run, pts: 90_126_000 + 3003 * index as i64, slot, detections, tracks }
    };
    (0..FRAMES).map(frame).collect()
}

fn write_all(
    frames: &[Frame],
    version: &AnalyzerVersion,
    mut write: impl FnMut(&FrameRecord<'_>) -> Result<Verdict, ExportError>,
) {
    for Frame { input, run, pts, slot, detections, tracks } in frames {
        let (width, height) = SIZE;
        let outcome = Outcome::Analysed { width, height, detections, tracks, timing: Timing::default() };
        let time_base = TimeBase::new(1, 90_000).unwrap();
        let (run, pts, slot, model) = (*run, *pts, *slot, "yolo");
        let record =
            FrameRecord { input, run, pts, time_base, slot, model, analyzer_version: version, outcome };
        assert_eq!(write(&record).unwrap(), Verdict::Analysed);
    }
}

fn read_back(python: &Path, format: &str, file: &Path) -> Value {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/readers/read_back.py");
    let output = Command::new(python).arg("-B").arg(script).arg(format).arg(file).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// A number with so many decimals, by another way than the writers'.
fn to(decimals: usize, value: f64) -> f64 {
    let text = format!("{value:.decimals$}");
    // Minus zero is written as zero.
    text.parse::<f64>().unwrap() + 0.0
}

fn pixels(detection: &Detection) -> [f64; 4] {
    let BoundingBox { x, y, width, height } = detection.bbox;
    let (across, down) = (f64::from(SIZE.0), f64::from(SIZE.1));
    let exact = [(x, across), (y, down), (width, across), (height, down)];
    exact.map(|(fraction, size)| to(1, f64::from(fraction) * size))
}

/// Every detection with its frame and its track, in the order in which they were written.
fn each(frames: &[Frame]) -> impl Iterator<Item = (&Frame, usize, &Detection, Option<TrackId>)> {
    frames.iter().flat_map(|frame| {
        let tracked = frame.detections.iter().zip(&frame.tracks).enumerate();
        tracked.map(move |(index, (detection, track))| (frame, index, detection, *track))
    })
}

#[test]
fn pycocotools_reads_every_box_score_class_and_track() {
    let Some(python) = python() else { return };
    let version = VersionBuilder::default().build();
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("coco.json");
    let frames: Vec<_> =
        [frames("a \"b\".mp4", 0, true), frames("a \"b\".mp4", 1, false)].into_iter().flatten().collect();
    let mut coco = CocoWriter::new(File::create(&path).unwrap(), home.path()).unwrap();
    write_all(&frames, &version, |frame| coco.write(frame));
    coco.finish().unwrap();
    let read = read_back(&python, "coco", &path);
    let images: Vec<_> =
        frames.iter().map(|frame| json!([frame.input, frame.run, frame.pts, SIZE.0, SIZE.1])).collect();
    assert_eq!(read["frames"], json!(images));
    let seen: Vec<_> = each(&frames)
        .map(|(frame, _, one, track)| {
            let [x, y, width, height] = pixels(one);
            let score = to(4, f64::from(one.confidence));
            json!([frame.input, frame.run, frame.pts, &*one.label, score, x, y, width, height, track, "yolo"])
        })
        .collect();
    assert!(seen.len() > 1000, "{}", seen.len());
    assert_eq!(read["seen"], json!(seen));
    let ids = ["person", "car", "toothbrush"].map(|name| read["categories"][name].as_u64().unwrap());
    assert_eq!(ids, [1, 3, 90]);
    assert!(read["evaluated"].as_f64().unwrap() > 0.999, "{}", read["evaluated"]);
}

#[test]
fn motmetrics_reads_every_box_confidence_and_track() {
    let Some(python) = python() else { return };
    let version = VersionBuilder::default().build();
    let home = tempfile::tempdir().unwrap();
    for slots in [true, false] {
        let path = home.path().join(format!("mot-{slots}.txt"));
        // Slots without a picture leave holes, pictures are counted.
        let frames: Vec<_> =
            frames("a.mp4", 0, slots).into_iter().filter(|frame| frame.pts % 7 != 0).collect();
        let mut mot = MotWriter::new(File::create(&path).unwrap());
        write_all(&frames, &version, |frame| mot.write(frame));
        mot.finish().unwrap();
        let number = |frame: &Frame| {
            let place = frames.iter().position(|other| other.pts == frame.pts).unwrap() as i64;
            1 + frame.slot.unwrap_or(place)
        };
        let seen: Vec<_> = each(&frames)
            .map(|(frame, _, one, track)| {
                let [x, y, width, height] = pixels(one);
                let id = track.map_or(-1, |track| track.0 as i64);
                json!([number(frame), id, x, y, width, height, to(4, f64::from(one.confidence))])
            })
            .collect();
        let read = read_back(&python, "mot", &path);
        let rows = read.as_array().unwrap();
        assert!(seen.len() > 500 && rows.len() == seen.len(), "{} of {}", rows.len(), seen.len());
        for (row, one) in rows.iter().zip(&seen) {
            assert_eq!((&row[0], &row[1]), (&one[0], &one[1]));
            for field in 2..7 {
                // It takes off the 1 in floating point.
                let (read, written) = (row[field].as_f64().unwrap(), one[field].as_f64().unwrap());
                assert!((read - written).abs() < 1e-9, "{row} is not {one}");
            }
        }
    }
}

#[test]
fn pandas_and_pythons_own_reader_read_every_row() {
    let Some(python) = python() else { return };
    let version = VersionBuilder::default().build();
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("all.csv");
    let frames: Vec<_> =
        [frames("-a, b.mp4", 0, true), frames("c.mp4", 2, false)].into_iter().flatten().collect();
    let mut csv = CsvWriter::new(File::create(&path).unwrap());
    write_all(&frames, &version, |frame| csv.write(frame));
    csv.finish().unwrap();
    let read = read_back(&python, "csv", &path);
    let rows = read.as_array().unwrap();
    assert_eq!(rows.len(), each(&frames).count());
    for (row, (frame, index, one, track)) in rows.iter().zip(each(&frames)) {
        let text = |column: &str| row[column].as_str().unwrap();
        let number = |column: &str| text(column).parse::<f64>().unwrap();
        let unescaped = |column| text(column).strip_prefix('\'').unwrap_or(text(column));
        assert_eq!((unescaped("input"), unescaped("label")), (frame.input, &*one.label));
        assert!(!text("input").starts_with('-') && !text("label").starts_with('='));
        assert_eq!((text("model"), text("analyzer_version")), ("yolo", version.as_str()));
        assert_eq!(text("run"), frame.run.to_string());
        assert_eq!(text("pts"), frame.pts.to_string());
        assert_eq!((text("time_base_num"), text("time_base_den")), ("1", "90000"));
        assert!((number("seconds") - frame.pts as f64 / 90_000.0).abs() < 1e-6);
        assert_eq!(text("slot"), frame.slot.map(|slot| slot.to_string()).unwrap_or_default());
        assert_eq!((text("width"), text("height")), ("1919", "1080"));
        assert_eq!(number("confidence").to_bits(), to(4, f64::from(one.confidence)).to_bits());
        let BoundingBox { x, y, width, height } = one.bbox;
        let fractions = [x, y, width, height].map(|fraction| to(6, f64::from(fraction)));
        assert_eq!(
            ["box_x", "box_y", "box_width", "box_height"].map(number).map(f64::to_bits),
            fractions.map(f64::to_bits)
        );
        let columns = ["box_px_x", "box_px_y", "box_px_width", "box_px_height"];
        assert_eq!(columns.map(number).map(f64::to_bits), pixels(one).map(f64::to_bits));
        assert_eq!(text("track"), track.map(|track| track.to_string()).unwrap_or_default());
        assert_eq!(text("detection"), (index + 1).to_string());
    }
}
