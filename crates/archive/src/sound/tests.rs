use std::sync::Arc;

use bytes::Bytes;
use ocelli_media::{AudioCodec, AudioParameters, AudioUnit};
use ocelli_model::TimeBase;

use super::{MOST, MOST_BYTES, Sound};

fn parameters(sample_rate: u32) -> Arc<AudioParameters> {
    Arc::new(AudioParameters {
        codec: AudioCodec::Aac,
        extradata: Bytes::from_static(&[0x11, 0x90]),
        sample_rate,
        channels: 2,
        time_base: TimeBase::new(1, 1000).unwrap(),
    })
}

fn push(sound: &mut Sound, parameters: &Arc<AudioParameters>, times: impl IntoIterator<Item = i64>) {
    for pts in times {
        let data = Bytes::copy_from_slice(&pts.to_be_bytes());
        sound.push(AudioUnit { pts, data, parameters: Arc::clone(parameters) });
    }
}

fn times(sound: &mut Sound, wanted: &Arc<AudioParameters>) -> Vec<(i64, u32)> {
    sound.take(Some(wanted)).iter().map(|sample| (sample.pts, sample.ticks)).collect()
}

#[test]
fn a_block_lasts_to_the_next() {
    let (mut sound, aac) = (Sound::default(), parameters(48_000));
    push(&mut sound, &aac, [0, 21, 43]);
    assert_eq!(times(&mut sound, &aac), [(0, 21), (21, 22)]);
    // A clock that goes back, then on.
    push(&mut sound, &aac, [43, 20, 64, 85]);
    assert_eq!(times(&mut sound, &aac), [(43, 21), (64, 21)]);
    assert_eq!(sound.left_out(), 2);
    sound.end();
    assert_eq!(times(&mut sound, &aac), [(85, 21)]);
}

#[test]
fn what_ends_before_anything_is_heard_is_left_out() {
    let (mut sound, aac) = (Sound::default(), parameters(48_000));
    push(&mut sound, &aac, [-42, -21, -1, 20, 41]);
    assert_eq!(times(&mut sound, &aac), [(-1, 21), (20, 21)]);
    assert_eq!(sound.left_out(), 2);
}

#[test]
fn other_sound_waits_for_its_segment() {
    let (mut sound, first, second) = (Sound::default(), parameters(48_000), parameters(44_100));
    push(&mut sound, &first, [0, 20, 40]);
    // Equal, in another allocation.
    push(&mut sound, &parameters(48_000), [60]);
    let ours = Arc::clone(sound.parameters().unwrap());
    assert_eq!(times(&mut sound, &ours), [(0, 20), (20, 20), (40, 20)]);
    push(&mut sound, &second, [80, 100, 120]);
    assert_eq!(times(&mut sound, &ours), []);
    push(&mut sound, &second, [140]);
    let now = Arc::clone(sound.parameters().unwrap());
    assert_eq!(times(&mut sound, &now), [(120, 20)]);
    assert_eq!(sound.left_out(), 3);
    assert!(sound.take(None).is_empty());
}

#[test]
fn sound_without_pictures_is_bounded() {
    let (mut sound, aac) = (Sound::default(), parameters(48_000));
    push(&mut sound, &aac, 0..5000);
    assert_eq!(sound.left_out(), 4999 - MOST as u64);
    let ready = times(&mut sound, &aac);
    assert_eq!((ready.len(), ready[0].0), (MOST, 4999 - MOST as i64));
    let large = Bytes::from(vec![0; MOST_BYTES / 3]);
    for pts in 5000..5010 {
        sound.push(AudioUnit { pts, data: large.clone(), parameters: Arc::clone(&aac) });
    }
    assert_eq!(times(&mut sound, &aac).len(), 3);
    push(&mut sound, &aac, 6000..6010);
    sound.from(6.005);
    assert_eq!(times(&mut sound, &aac).first(), Some(&(6005, 1)));
}
