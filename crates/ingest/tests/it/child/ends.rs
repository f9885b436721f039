//! Children that are killed, stopped, or no longer needed.

use std::{path::PathBuf, time::Duration};

use ocelli_ingest::{
    Source as _, SourceError,
    child::{ChildCommand, ChildEnd, ChildError, ChildLimits, ChildSource, WORD},
    pull::Stop,
};
use ocelli_media::decode::DecodeError;
use ocelli_testkit::Clip;
use rustix::process::{Pid, Signal, kill_process};

use super::{chain, honest, liar, open, soon};

/// Long enough that it is not all read at once.
fn clip() -> PathBuf {
    Clip::new(192, 128).frames(400).params("keyint=10").cached()
}

fn signal(source: &ChildSource, signal: Signal) {
    kill_process(Pid::from_raw(source.process_id() as i32).unwrap(), signal).unwrap();
}

/// Neither running nor waiting to be waited for.
fn is_gone(pid: u32) -> bool {
    !std::path::Path::new(&format!("/proc/{pid}")).try_exists().unwrap()
}

/// Of user and kernel, as `stat` counts them in hundredths.
fn processor_seconds(pid: u32) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let fields = stat.rsplit_once(')').unwrap().1.split_whitespace().skip(11).take(2);
    fields.map(|ticks| ticks.parse::<f64>().unwrap() / 100.0).sum()
}

/// What ends the reading of the rest.
fn rest(source: &mut ChildSource) -> SourceError {
    loop {
        match source.next_unit() {
            Ok(Some(_)) => {}
            Ok(None) => panic!("it was not read to its end"),
            Err(error) => return error,
        }
    }
}

#[test]
fn a_killed_child_is_told_and_waited_for() {
    let mut source = open(&clip(), &honest()).unwrap();
    let unit = source.next_unit().unwrap().unwrap();
    let mut decoder = source.decoder().unwrap()(&unit.parameters).unwrap();
    decoder.send(&unit, true).unwrap();
    signal(&source, Signal::KILL);
    let error = decoder.send(&unit, true).unwrap_err();
    assert!(matches!(error, DecodeError::Gone(_)), "{error:?}");
    assert!(error.to_string().contains("died of signal 9"), "{error}");
    // Said again, to whoever asks.
    assert!(chain(&rest(&mut source)).contains("died of signal 9"));
    decoder.flush();
    decoder.send_end();
    assert!(decoder.receive().is_err());
    assert!(is_gone(source.process_id()));
}

#[test]
fn a_child_that_stands_still_is_killed() {
    let mut source = open(&clip(), &soon(honest())).unwrap();
    signal(&source, Signal::STOP);
    let error = chain(&rest(&mut source));
    assert!(error.contains("was killed: it gave no answer for 1 s"), "{error}");
    assert!(is_gone(source.process_id()));
}

#[test]
fn a_stop_ends_a_child_that_stands_still() {
    let stop = Stop::default();
    let mut source = ChildSource::open(&clip(), &honest(), &stop).unwrap();
    signal(&source, Signal::STOP);
    stop.stop();
    assert!(matches!(rest(&mut source), SourceError::Stopped));
    assert!(is_gone(source.process_id()));
}

#[test]
fn a_dropped_source_takes_its_child_along_when_its_decoder_goes() {
    let mut source = open(&clip(), &honest()).unwrap();
    let pid = source.process_id();
    let unit = source.next_unit().unwrap().unwrap();
    let mut decoder = source.decoder().unwrap()(&unit.parameters).unwrap();
    drop(source);
    decoder.send(&unit, true).unwrap();
    assert!(!is_gone(pid));
    drop(decoder);
    assert!(is_gone(pid));
}

/// Processor time is limited for each answer, not for the file: what a long file takes is no fault of it.
#[test]
fn honest_work_may_take_long() {
    let limits = ChildLimits { cpu: Duration::from_secs(1), ..ChildLimits::default() };
    let clip = Clip::new(1280, 720).frames(2).params("keyint=1").cached();
    let mut source = open(&clip, &honest().with_limits(limits)).unwrap();
    let unit = source.next_unit().unwrap().unwrap();
    let mut decoder = source.decoder().unwrap()(&unit.parameters).unwrap();
    while processor_seconds(source.process_id()) < 4.0 {
        decoder.send(&unit, false).unwrap();
        while decoder.receive().unwrap().is_some() {}
    }
}

#[test]
fn work_without_end_is_ended() {
    let limits = ChildLimits { cpu: Duration::from_secs(1), ..ChildLimits::default() };
    let spins = liar(&[r#"{"Ok":null}"#, "@"]).with_limits(limits);
    let error = chain(&open(&clip(), &spins).unwrap_err());
    assert!(error.contains("was killed: it used more than 1 s of processor time"), "{error}");
}

#[test]
fn an_earlier_decoder_does_not_speak_for_a_later_one() {
    let mut source = open(&clip(), &honest()).unwrap();
    let unit = source.next_unit().unwrap().unwrap();
    let decoder = source.decoder().unwrap();
    let mut first = decoder(&unit.parameters).unwrap();
    let mut second = decoder(&unit.parameters).unwrap();
    assert!(matches!(first.send(&unit, true), Err(DecodeError::Gone(_))));
    second.send(&unit, true).unwrap();
}

#[test]
fn a_program_that_is_none_is_no_fault_of_the_file() {
    let missing = ChildCommand::new("/nowhere/ocelli", [WORD.into()]);
    let error = open(&clip(), &missing).unwrap_err();
    assert!(matches!(error, SourceError::Child(ChildError::Start(_))), "{error:?}");
    let other = ChildCommand::new("/bin/true", []);
    let error = open(&clip(), &other).unwrap_err();
    let gone = matches!(&error, SourceError::Child(ChildError::Ended(ChildEnd::Exit { code: 0, .. })));
    assert!(gone, "{error:?}");
}
