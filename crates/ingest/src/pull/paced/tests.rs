use ocelli_media::{Codec, decode::DecodeError};
use ocelli_model::TimeBase;

use super::*;

/// Media times in s, asked at times in ms, and when they are due in ms; `None` is the start of a new turn.
fn check(steps: &[(Option<f64>, u64, u64)]) {
    let start = now();
    let mut pace = Metronome::new(0.04);
    for (index, (seconds, asked, expected)) in steps.iter().enumerate() {
        let Some(seconds) = seconds else {
            pace.turn();
            continue;
        };
        let due = pace.due(*seconds, start + Duration::from_millis(*asked));
        let due = (due - start).as_secs_f64() * 1000.0;
        assert!((due - *expected as f64).abs() < 0.01, "step {index}: {due} instead of {expected}");
    }
}

#[test]
fn units_are_due_by_their_media_time() {
    check(&[(Some(5.0), 7, 7), (Some(5.04), 7, 47), (Some(5.1), 60, 107), (Some(5.12), 200, 127)]);
    // Decode order without DTS: what is shown earlier is due with what was decoded before it.
    check(&[(Some(0.0), 0, 0), (Some(0.12), 0, 120), (Some(0.04), 120, 120), (Some(0.16), 120, 160)]);
    // A picture may stand for a while.
    check(&[(Some(0.0), 0, 0), (Some(9.9), 0, 9900)]);
}

#[test]
fn late_readers_catch_up_a_little_and_no_more() {
    check(&[(Some(0.0), 0, 0), (Some(0.04), 1000, 40), (Some(0.08), 1000, 80)]);
    check(&[(Some(0.0), 0, 0), (Some(0.04), 5000, 5000), (Some(0.08), 5000, 5040), (Some(1.0), 5000, 5960)]);
}

#[test]
fn media_time_that_begins_elsewhere_follows_what_was_before() {
    check(&[(Some(0.0), 0, 0), (Some(0.04), 0, 40), (Some(99.0), 0, 80), (Some(99.04), 0, 120)]);
    check(&[(Some(50.0), 0, 0), (Some(50.02), 0, 20), (Some(0.0), 0, 40), (Some(0.02), 0, 60)]);
}

#[test]
fn turns_follow_each_other_without_a_gap() {
    // Found late by what it takes to begin anew, yet due where the last picture ended.
    check(&[
        (Some(0.0), 0, 0),
        (Some(0.04), 0, 40),
        (None, 0, 0),
        (Some(0.0), 95, 80),
        (Some(0.04), 95, 120),
    ]);
    // A clip of one picture.
    check(&[(Some(0.0), 0, 0), (None, 0, 0), (Some(0.0), 20, 40), (None, 0, 0), (Some(0.0), 60, 80)]);
    check(&[(None, 0, 0), (Some(3.0), 9, 9)]);
}

/// Units at the given milliseconds.
#[derive(Debug)]
struct Fixed(Arc<CodecParameters>, Vec<i64>, usize);

impl Source for Fixed {
    fn parameters(&self) -> &Arc<CodecParameters> {
        &self.0
    }

    fn next_unit(&mut self) -> Result<Option<AccessUnit>, SourceError> {
        let unit = self.1.get(self.2).map(|pts| AccessUnit::new(*pts, [1][..].into(), Arc::clone(&self.0)));
        self.2 += 1;
        Ok(unit)
    }

    fn damage(&self) -> Option<&str> {
        None
    }

    fn decoder(&self) -> Option<Box<OpenDecoder>> {
        Some(Box::new(|_| Err(DecodeError::Damaged("not here".to_owned()))))
    }

    fn zero(&self) -> i64 {
        7
    }

    fn anchor(&self) -> Option<WallAnchor> {
        Some(WallAnchor { pts: 1, unix_ns: 2 })
    }

    fn rewind(&mut self) -> Result<bool, SourceError> {
        self.2 = 0;
        Ok(true)
    }
}

fn fixed(ms: &[i64]) -> Box<dyn Source> {
    let base = TimeBase::new(1, 1000).unwrap();
    let parameters = CodecParameters::new(Codec::H264, [][..].into(), base);
    Box::new(Fixed(Arc::new(parameters), ms.to_vec(), 0))
}

#[test]
fn a_paced_source_takes_its_time_over_turns_too() {
    let mut paced = Paced::real_time(fixed(&[0, 20, 40]), Stop::default());
    let start = now();
    let mut units = 0;
    for turn in 0..3 {
        while paced.next_unit().unwrap().is_some() {
            units += 1;
            let due = Duration::from_millis(turn * 60 + (units - 1) % 3 * 20);
            assert!(start.elapsed() >= due, "unit {units} after {:?}", start.elapsed());
        }
        assert!(paced.rewind().unwrap());
    }
    assert_eq!(units, 9);
}

#[test]
fn a_stop_ends_what_never_waits() {
    let stop = Stop::default();
    let mut fast = Paced::fast(fixed(&[0, 9_000_000]), stop.clone());
    for turn in 0..3 {
        assert!(fast.next_unit().unwrap().is_some() && fast.next_unit().unwrap().is_some(), "{turn}");
        assert!(fast.next_unit().unwrap().is_none() && fast.rewind().unwrap());
    }
    stop.stop();
    assert!(matches!(fast.next_unit(), Err(SourceError::Stopped)));
}

#[test]
fn a_paced_source_is_the_source_in_all_else() {
    let paced = Paced::real_time(fixed(&[0]), Stop::default());
    // Above all: units of untrusted media must not reach a decoder of this process.
    let decoder = paced.decoder().expect("its own");
    assert!(matches!(decoder(paced.parameters()), Err(DecodeError::Damaged(word)) if word == "not here"));
    assert_eq!((paced.zero(), paced.anchor()), (7, Some(WallAnchor { pts: 1, unix_ns: 2 })));
}

#[test]
fn a_stop_ends_the_wait_for_a_picture() {
    let stop = Stop::default();
    let mut paced = Paced::real_time(fixed(&[0, 9_000]), stop.clone());
    assert!(paced.next_unit().unwrap().is_some());
    std::thread::scope(|scope| {
        scope.spawn(|| stop.stop());
        assert!(matches!(paced.next_unit(), Err(SourceError::Stopped)));
    });
}
