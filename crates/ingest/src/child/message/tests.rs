use ocelli_media::Codec;

use super::*;
use crate::child::wire;

fn parameters(codec: Codec) -> CodecParameters {
    let mut parameters =
        CodecParameters::new(codec, Bytes::from_static(b"sets"), TimeBase::new(1001, 30_000).unwrap());
    (parameters.width, parameters.height, parameters.rotation) = (640, 360, Rotation::Counterclockwise);
    (parameters.reorder_hint, parameters.frame_rate, parameters.duration) = (2, 30_000.0 / 1001.0, Some(-7));
    parameters
}

/// There and back.
fn through(parameters: &CodecParameters) -> io::Result<(u32, CodecParameters)> {
    let mut bytes = Vec::new();
    wire::write(&mut bytes, &ParametersHead::of(5, parameters), &[&parameters.extradata]).unwrap();
    let mut from = &bytes[..];
    let (head, mut tail): (ParametersHead, _) = wire::read(&mut from).unwrap();
    let told = head.parameters(&mut tail)?;
    tail.end().map(|()| told)
}

#[test]
fn parameters_are_the_same_on_the_other_side() {
    for codec in [Codec::H264, Codec::H265, Codec::Av1, Codec::Other("mpeg2video".to_owned())] {
        let sent = parameters(codec);
        let (id, told) = through(&sent).unwrap();
        assert_eq!((id, format!("{told:?}")), (5, format!("{sent:?}")));
    }
}

#[test]
fn parameters_that_no_demuxer_gives_are_refused() {
    let change = |change: fn(&mut CodecParameters)| {
        let mut changed = parameters(Codec::H264);
        change(&mut changed);
        through(&changed).map(|(_, told)| told.frame_rate)
    };
    let long = |parameters: &mut CodecParameters| {
        parameters.time_base = TimeBase::new(LONGEST_TICK + 1, 1).unwrap();
    };
    assert!(change(long).is_err());
    assert!(change(|parameters| parameters.codec = Codec::Other("\u{1b}[2J".to_owned())).is_err());
    assert!(change(|parameters| parameters.codec = Codec::Other("x".repeat(101))).is_err());
    // What is only for people is put right.
    for rate in [f64::NAN, f64::INFINITY, -1.0] {
        let mut odd = parameters(Codec::H264);
        odd.frame_rate = rate;
        assert!(through(&odd).unwrap().1.frame_rate.to_bits() == 0, "{rate}");
    }
}

#[test]
fn units_are_the_same_on_the_other_side() {
    let set = Arc::new(parameters(Codec::H264));
    let mut heard = Heard::default();
    heard.add(3, &set);
    let mut unit = AccessUnit::new(i64::MIN, Bytes::from_static(b"coded"), Arc::clone(&set));
    (unit.dts, unit.container_keyframe, unit.damaged, unit.presentable) = (Some(i64::MAX), true, true, false);
    unit.side = SideData { palette: Some(Bytes::from_static(b"colours")), change: Some(Bytes::new()) };
    let (head, parts) = UnitHead::of(&unit, heard.number(&set).unwrap());
    let mut bytes = Vec::new();
    wire::write(&mut bytes, &head, &parts).unwrap();
    let mut from = &bytes[..];
    let (head, mut tail): (UnitHead, _) = wire::read(&mut from).unwrap();
    let told = head.unit(&heard, &mut tail).unwrap();
    tail.end().unwrap();
    assert!(Arc::ptr_eq(&told.parameters, &set));
    assert_eq!(format!("{told:?}"), format!("{unit:?}"));
}

#[test]
fn a_file_that_changes_its_parameters_without_end_is_remembered_in_part() {
    let (mut told, mut heard) = (Told::default(), Heard::default());
    let sets: Vec<_> = (0..1000).map(|_| Arc::new(parameters(Codec::H264))).collect();
    for (index, set) in sets.iter().enumerate() {
        assert_eq!(told.number(set), (index as u32, true));
        assert_eq!(told.number(set), (index as u32, false));
        heard.add(index as u32, set);
    }
    assert_eq!((told.sets.len(), heard.0.len()), (MOST_PARAMETERS, MOST_PARAMETERS));
    assert!(told.find(0).is_none() && heard.find(0).is_none() && heard.number(&sets[0]).is_none());
    assert!(Arc::ptr_eq(&told.find(999).unwrap(), &sets[999]));
    // Of those that nobody uses any more the parent forgets all.
    drop((sets, told));
    assert!(heard.find(999).is_none());
}
