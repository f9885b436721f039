//! Lines to the letter, and outputs that fail.

use std::{
    io::{self, Write},
    sync::Arc,
    time::Duration,
};

use ocelli_model::{AnalyzerVersion, BoundingBox, Detection, TimeBase, Verdict, VersionBuilder};

use super::{FrameLine, JsonLines, JsonLinesError, Outcome, Timing};

fn detection(confidence: f32, x: f32) -> Detection {
    let bbox = BoundingBox { x, y: 0.5, width: 0.1, height: 0.333_333_34 };
    Detection { label: Arc::from("traffic \"light\"\n"), confidence, bbox }
}

fn frame<'a>(version: &'a AnalyzerVersion, outcome: Outcome<'a>) -> FrameLine<'a> {
    let time_base = TimeBase::new(1, 90_000).unwrap();
    FrameLine {
        input: "a\nb.mp4",
        run: 1,
        pts: 90_126_000,
        time_base,
        slot: Some(-2),
        analyzer_version: version,
        outcome,
    }
}

fn analysed(detections: &[Detection]) -> Outcome<'_> {
    let timing = Timing { analyze: Duration::from_nanos(17_350_499) };
    Outcome::Analysed { width: 641, height: 360, detections, timing }
}

#[test]
fn lines_are_exact_and_carry_their_verdict() {
    let version = VersionBuilder::default().build();
    let check = |outcome: Outcome<'_>, verdict: Verdict, rest: &str| {
        let mut output = Vec::new();
        assert_eq!(JsonLines::new(&mut output).write(&frame(&version, outcome)).unwrap(), verdict);
        let head =
            r#"{"input":"a\nb.mp4","run":1,"pts":90126000,"time_base":[1,90000],"seconds":1001.4,"slot":-2,"#;
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

/// Takes `room` bytes, then fails; says how often it was flushed.
struct Narrow {
    room: usize,
    kind: io::ErrorKind,
    taken: Vec<u8>,
    flushes: usize,
}

impl Write for &mut Narrow {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let fits = bytes.len().min(self.room);
        if fits == 0 {
            return Err(self.kind.into());
        }
        self.room -= fits;
        self.taken.extend_from_slice(&bytes[..fits]);
        Ok(fits)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.flushes += 1;
        Ok(())
    }
}

#[test]
fn after_a_failure_nothing_is_glued_to_a_cut_line() {
    let version = VersionBuilder::default().build();
    let line = frame(&version, Outcome::Failed { reason: "damaged" });
    let check = |kind: io::ErrorKind, first: &str, later: &str| {
        let mut narrow = Narrow { room: 500, kind, taken: Vec::new(), flushes: 0 };
        let mut lines = JsonLines::new(&mut narrow);
        let mut written = 0;
        let mut errors = Vec::new();
        for _line in 0..6 {
            match lines.write(&line) {
                Ok(_) => written += 1,
                Err(JsonLinesError::Closed) => errors.push("closed"),
                Err(JsonLinesError::Write(_)) => errors.push("write"),
                Err(JsonLinesError::Broken) => errors.push("broken"),
            }
            // Space that is freed must not tempt it to go on.
            if !errors.is_empty() {
                lines.output.room = 10_000;
            }
        }
        assert!(written >= 2, "lines before the failure");
        assert_eq!(errors[0], first);
        assert!(errors[1..].iter().all(|error| *error == later), "{errors:?}");
        assert_eq!(narrow.flushes, written, "each line by itself");
        assert_eq!(narrow.taken.len(), 500);
        assert_eq!(narrow.taken.split(|byte| *byte == b'\n').count(), written + 1);
    };
    check(io::ErrorKind::StorageFull, "write", "broken");
    check(io::ErrorKind::BrokenPipe, "closed", "closed");
}
