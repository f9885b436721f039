//! The annotated video, decoded again by ffmpeg: each box sits on the moving marker of its numbered frame.

use std::{fs::File, ops::ControlFlow, path::Path, process::Command, sync::Arc};

use ocelli_analyze::{AnalyzeError, Analyzer};
use ocelli_engine::{AnalyzeWork, Look, Settings, Watch, draw_detections, run};
use ocelli_ingest::{Source as _, pull::FileSource};
use ocelli_media::{
    libav::{VideoSettings, VideoWriter},
    pixel::{Matrix, Outline, OwnedPicture, Picture, Range, draw},
};
use ocelli_model::{AnalyzerVersion, BoundingBox, Detection, TimeBase, VersionBuilder};
use ocelli_testkit::{Clip, ClipCodec, Container, Rect, find_marker, marker, probe};

const WIDTH: usize = 384;
const HEIGHT: usize = 256;
/// Its colour is unlike anything that the clips paint.
const LABEL: &str = "marker";

/// Sees the white marker where it is in this picture.
struct FindMarker(AnalyzerVersion);

impl Analyzer for FindMarker {
    fn version(&self) -> &AnalyzerVersion {
        &self.0
    }

    fn analyze(&mut self, picture: &Picture<'_>) -> Result<Vec<Detection>, AnalyzeError> {
        let (width, height) = (picture.width as usize, picture.height as usize);
        let luma = picture.planes[0];
        let found = find_marker(luma.data, luma.stride, width, height);
        let part = |pixels: usize, side: usize| pixels as f32 / side as f32;
        let detection = |rect: Rect| Detection {
            label: Arc::from(LABEL),
            confidence: 1.0,
            bbox: BoundingBox {
                x: part(rect.x, width),
                y: part(rect.y, height),
                width: part(rect.width, width),
                height: part(rect.height, height),
            },
        };
        Ok(found.map(detection).into_iter().collect())
    }
}

/// Analyses `input` with two workers and writes what they draw; gives the PTS in order and their time base.
fn annotate(input: &Path, plan: &str, output: &Path) -> (Vec<i64>, TimeBase) {
    let mut source = FileSource::open(input).unwrap();
    let base = source.parameters().time_base;
    let file = Box::new(File::create(output).unwrap());
    let mut video = VideoWriter::create(file, VideoSettings::new(base)).unwrap();
    let worker = || AnalyzeWork::new(vec![Box::new(FindMarker(VersionBuilder::default().build()))], true);
    let settings = Settings::new(plan.parse().unwrap());
    let mut times = Vec::new();
    run(&mut source, settings, &mut [worker(), worker()], &Watch::default(), |notice| {
        let Some(seen) = notice.into_frame() else { return ControlFlow::Continue(()) };
        let looked = seen.result.unwrap();
        let [Look::Seen(analysis)] = &looked.looks[..] else { panic!("one analyzer looked: {looked:?}") };
        assert_eq!(analysis.detections.len(), 1, "the marker is found at {:?}", seen.place);
        let mut picture = looked.picture.unwrap();
        draw_detections(&mut picture, &analysis.detections, &[]);
        video.write(&picture.as_picture(), seen.place.pts).unwrap();
        times.push(seen.place.pts);
        ControlFlow::Continue(())
    })
    .unwrap();
    video.finish().unwrap();
    (times, base)
}

/// Planes Y, U, V of 4:2:0 of each frame, as ffmpeg decodes them.
fn decode(path: &Path) -> Vec<Vec<u8>> {
    let mut command = Command::new("ffmpeg");
    command.args(["-nostdin", "-v", "error", "-i"]).arg(path);
    command.args(["-fps_mode", "passthrough", "-pix_fmt", "yuv420p", "-f", "rawvideo", "pipe:1"]);
    let planes = command.output().unwrap().stdout;
    planes.chunks_exact(WIDTH * HEIGHT * 3 / 2).map(<[u8]>::to_vec).collect()
}

/// The Cb and Cr that a box with our label is drawn in.
fn colour() -> [u8; 2] {
    let mut black = OwnedPicture::black(64, 64, Range::Limited, Matrix::Bt601);
    draw(&mut black, &Outline { rect: [0.25, 0.25, 0.75, 0.75], label: LABEL, text: "" });
    let corner = 16 / 2 * 32 + 16 / 2;
    let [cb, cr] = [black.planes[1][corner], black.planes[2][corner]];
    assert!(!(70..=180).contains(&cb) || !(70..=160).contains(&cr), "{cb} {cr} is no colour of the clips");
    [cb, cr]
}

/// Left, right and bottom of what has the colour of the box, in the rows from the middle of `near` to a little below it. Above
/// stands the label, in the same colour.
fn sides(planes: &[u8], near: Rect) -> Option<[usize; 3]> {
    let [cb, cr] = colour();
    let (width, size) = (WIDTH / 2, WIDTH * HEIGHT / 4);
    let chroma = &planes[WIDTH * HEIGHT..];
    let mut found: Option<[usize; 3]> = None;
    let rows = near.y / 2 + near.height / 4..(near.y / 2 + near.height / 2 + 6).min(HEIGHT / 2);
    for y in rows {
        for x in 0..width {
            let at = y * width + x;
            if chroma[at].abs_diff(cb) < 24 && chroma[size + at].abs_diff(cr) < 24 {
                let [left, right, bottom] = found.unwrap_or([usize::MAX, 0, 0]);
                found = Some([left.min(2 * x), right.max(2 * x + 2), bottom.max(2 * y + 2)]);
            }
        }
    }
    found
}

fn check(name: &str, clip: &Clip) {
    let dir = tempfile::tempdir().unwrap();
    for plan in ["all", "6"] {
        let output = dir.path().join("seen.mp4");
        let (times, base) = annotate(&clip.cached(), plan, &output);
        let (truth, pictures) = (probe(&output), decode(&output));
        let ticks = |pts: i64, base: TimeBase| i128::from(pts) * i128::from(base.num());
        let same_time = |ours: i64, theirs: i64| {
            ticks(ours, base) * i128::from(truth.time_base.den())
                == ticks(theirs, truth.time_base) * i128::from(base.den())
        };
        assert!(times.len() >= 5, "{name} at {plan}");
        assert_eq!((truth.output.len(), pictures.len()), (times.len(), times.len()), "{name} at {plan}");
        for ((pts, theirs), planes) in times.iter().zip(&truth.output).zip(&pictures) {
            assert!(same_time(*pts, *theirs), "{name} at {plan}: PTS {pts} reads back as {theirs}");
            let frame = truth.at(*theirs).and_then(|picture| picture.frame.as_ref()).unwrap();
            let expected = (0..clip.len()).find(|n| clip.pts(*n) == *pts).map(|n| clip.number(n));
            assert_eq!(frame.number, expected, "{name} at {plan}: number at {pts}");
            let marker = marker(expected.unwrap(), WIDTH, HEIGHT);
            let truly = [marker.x, marker.x + marker.width, marker.y + marker.height];
            let sides = sides(planes, marker).unwrap_or_else(|| panic!("{name} at {plan}: no box at {pts}"));
            // Boxes stand on even pixels; the marker is eight further in the next frame.
            let near = sides.iter().zip(truly).all(|(side, truly)| side.abs_diff(truly) <= 3);
            assert!(near, "{name} at {plan}, {pts}: box at {sides:?}, marker at {truly:?}");
        }
    }
}

fn base() -> Clip {
    Clip::new(WIDTH, HEIGHT).frames(48)
}

#[test]
fn boxes_sit_on_the_marker_of_their_frame() {
    let steps = [3003, 1501, 90_000, 2999, 3100, 4500];
    let pts: Vec<i64> = (0..48).scan(0, |at, n| Some(std::mem::replace(at, *at + steps[n % 6]))).collect();
    let variable = base().timestamps(90_000, &pts).params("bframes=3:b-adapt=0");
    check("B-frames", &base().params("bframes=3:b-adapt=0:b-pyramid=normal"));
    check("29.97 fps", &base().rate(30_000, 1001).start_pts(7 * 1001 + 3));
    check("variable rate", &variable);
    check("variable rate, late start", &variable.clone().start_pts(1_234_567));
    check("starts after a day", &variable.clone().container(Container::Ts).start_pts(7_900_000_000));
    check("h265", &base().codec(ClipCodec::X265).params("bframes=3:b-adapt=0"));
    check("vp9", &base().codec(ClipCodec::Vp9).container(Container::WebM).start_pts(900));
    check("mpeg4", &base().codec(ClipCodec::Mpeg4).container(Container::Avi));
    check("10 bit", &base().pixel_format("yuv420p10le"));
}
