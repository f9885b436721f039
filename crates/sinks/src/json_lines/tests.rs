//! Lines to the letter, and outputs that fail.

use std::{io, sync::Arc, time::Duration};

use ocelli_model::{AnalyzerVersion, BoundingBox, Detection, TimeBase, TrackId, Verdict, VersionBuilder};

use super::{JsonLines, JsonLinesError};
use crate::{FrameRecord, Outcome, Timing, output::tests::Narrow};

fn detection(confidence: f32, x: f32) -> Detection {
    let bbox = BoundingBox { x, y: 0.5, width: 0.1, height: 0.333_333_34 };
    Detection { label: Arc::from("traffic \"light\"\n"), confidence, bbox }
}

fn frame<'a>(version: &'a AnalyzerVersion, outcome: Outcome<'a>) -> FrameRecord<'a> {
    let time_base = TimeBase::new(1, 90_000).unwrap();
    FrameRecord {
        input: "a\nb.mp4",
        run: 1,
        pts: 90_126_000,
        time_base,
        slot: Some(-2),
        model: "yolo",
        analyzer_version: version,
        outcome,
    }
}

fn analysed(detections: &[Detection]) -> Outcome<'_> {
    let timing = Timing { analyze: Duration::from_nanos(17_350_499) };
    Outcome::Analysed { width: 641, height: 360, detections, tracks: &[], timing }
}

#[test]
fn lines_are_exact_and_carry_their_verdict() {
    let version = VersionBuilder::default().build();
    let check = |outcome: Outcome<'_>, verdict: Verdict, rest: &str| {
        let mut output = Vec::new();
        assert_eq!(JsonLines::new(&mut output).write(&frame(&version, outcome)).unwrap(), verdict);
        let head = r#"{"input":"a\nb.mp4","run":1,"pts":90126000,"time_base":[1,90000],"seconds":1001.4,"slot":-2,"model":"yolo","#;
        let rest = rest.replace("VERSION", &format!(r#""analyzer_version":"{version}""#));
        assert_eq!(String::from_utf8(output).unwrap(), format!("{head}{rest}\n"));
    };
    let timing = r#"VERSION,"timing_ms":{"analyze":17.35}}"#;
    let empty = format!(r#""verdict":"analysed","width":641,"height":360,"detections":[],{timing}"#);
    check(analysed(&[]), Verdict::Analysed, &empty);
    let seen = format!(
        r#""verdict":"analysed","width":641,"height":360,"detections":[{{"label":"traffic \"light\"\n","confidence":0.9137,"box":{{"x":0.0,"y":0.5,"width":0.1,"height":0.333333}},"box_px":{{"x":0.0,"y":180.0,"width":64.1,"height":120.0}}}}],{timing}"#
    );
    check(analysed(&[detection(0.913_72, -1e-9)]), Verdict::Analysed, &seen);
    let tracked = seen.replace(r#""height":120.0}}"#, r#""height":120.0},"track":12}"#);
    let detections = [detection(0.913_72, -1e-9)];
    let Outcome::Analysed { width, height, timing, .. } = analysed(&detections) else { unreachable!() };
    let with = |tracks| Outcome::Analysed { width, height, detections: &detections, tracks, timing };
    check(with(&[Some(TrackId(12)), Some(TrackId(3))]), Verdict::Analysed, &tracked);
    check(with(&[None]), Verdict::Analysed, &seen);
    let failed = r#""verdict":"failed","reason":"damaged","#;
    check(Outcome::Failed { reason: "damaged" }, Verdict::Failed, &format!("{failed}VERSION}}"));
}

#[test]
fn what_json_cannot_hold_fails_its_frame() {
    let version = VersionBuilder::default().build();
    for odd in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        for bad in [detection(odd, 0.1), detection(0.5, odd)] {
            let mut output = Vec::new();
            let detections = [detection(0.5, 0.1), bad];
            let line = frame(&version, analysed(&detections));
            assert_eq!(JsonLines::new(&mut output).write(&line).unwrap(), Verdict::Failed);
            let value: serde_json::Value = serde_json::from_slice(&output).unwrap();
            assert_eq!(value["verdict"], "failed");
            assert!(value["reason"].as_str().unwrap().contains("not finite"));
            assert!(value.get("detections").is_none());
        }
    }
}

#[test]
fn after_a_failure_nothing_is_glued_to_a_cut_line() {
    let version = VersionBuilder::default().build();
    let line = frame(&version, Outcome::Failed { reason: "damaged" });
    let check = |kind: io::ErrorKind, first: &str, later: &str| {
        let mut lines = JsonLines::new(Narrow::new(500, kind));
        let mut written = 0;
        let mut errors = Vec::new();
        for _line in 0..6 {
            match lines.write(&line) {
                Ok(_) => written += 1,
                Err(JsonLinesError::Closed) => errors.push("closed"),
                Err(JsonLinesError::Write(_)) => errors.push("write"),
                Err(JsonLinesError::Broken) => errors.push("broken"),
            }
        }
        assert!(written >= 2, "lines before the failure");
        assert_eq!(errors[0], first);
        assert!(errors[1..].iter().all(|error| *error == later), "{errors:?}");
        let narrow = lines.output.into_inner();
        assert_eq!(narrow.flushes, written, "each line by itself");
        assert_eq!(narrow.taken.len(), 500);
        assert_eq!(narrow.taken.split(|byte| *byte == b'\n').count(), written + 1);
    };
    check(io::ErrorKind::StorageFull, "write", "broken");
    check(io::ErrorKind::BrokenPipe, "closed", "closed");
}
