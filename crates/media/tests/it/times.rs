//! Files whose pictures carry no presentation times: the times given are FFmpeg's own best, on the frames they belong to.

use std::{fs::File, path::Path, process::Command};

use ocelli_media::{
    bitstream::PictureReader,
    decode::{Decoder, Decoding},
    libav::{DemuxError, Demuxer, LibavDecoder},
    sampler::{Sampler, Step},
};
use ocelli_model::SamplingPlan;
use ocelli_testkit::{Clip, ClipCodec, Container, read_number};

/// PTS and painted number of every picture.
fn numbered(path: &Path) -> Result<Vec<(i64, Option<u32>)>, DemuxError> {
    let mut demuxer = Demuxer::open(Box::new(File::open(path).unwrap()))?;
    let mut reader = PictureReader::new(demuxer.parameters());
    let mut sampler = Sampler::new(SamplingPlan::All, demuxer.parameters().time_base);
    let open = |parameters: &_| Ok(Box::new(LibavDecoder::open(parameters)?) as Box<dyn Decoder>);
    let mut decoding = Decoding::new(Box::new(open));
    while let Some(unit) = demuxer.next_unit()? {
        sampler.push(unit.clone(), reader.read(&unit.data, unit.container_keyframe).unwrap());
    }
    sampler.finish();
    while let Some(step) = sampler.next_step() {
        match step {
            Step::Feed(feed) => decoding.feed(&feed).unwrap(),
            Step::EndOfRun { .. } => decoding.drain(),
            Step::Run { .. } | Step::Empty { .. } | Step::Passed(_) => {}
        }
    }
    let outcomes = decoding.take_outcomes().into_iter().map(|outcome| {
        let frame = outcome.picture.unwrap().unwrap();
        let picture = frame.picture();
        let luma = picture.planes[0];
        (outcome.pts, read_number(luma.data, luma.stride, picture.width as usize, picture.height as usize))
    });
    Ok(outcomes.collect())
}

/// What FFmpeg makes of the times, frame by frame; nothing where it does not know either.
fn best_effort(path: &Path) -> Vec<Option<i64>> {
    let options = ["-v", "error", "-select_streams", "v", "-show_entries", "frame=best_effort_timestamp"];
    let printed = Command::new("ffprobe").args(options).args(["-of", "csv=p=0"]).arg(path).output().unwrap();
    let printed = String::from_utf8(printed.stdout).unwrap();
    let lines = printed.lines().map(|line| line.trim_end_matches(',').trim()).filter(|line| !line.is_empty());
    lines.map(|line| line.parse().ok()).collect()
}

#[test]
fn reordered_pictures_without_times_get_those_of_the_decoding_clock() {
    let folder = tempfile::tempdir().unwrap();
    let clip = |codec, container, bframes| {
        let options = ["-g", "12", "-bf", bframes];
        Clip::new(192, 128).frames(40).codec(codec).container(container).options(&options)
    };
    let cases = [
        clip(ClipCodec::Mpeg4, Container::Avi, "2"),
        clip(ClipCodec::Mpeg4, Container::Avi, "1"),
        clip(ClipCodec::Mpeg2, Container::Avi, "2"),
        clip(ClipCodec::Mpeg2, Container::Raw, "2"),
    ];
    for clip in cases {
        let path = clip.write(folder.path());
        let ours = numbered(&path).unwrap();
        let numbers: Vec<_> = ours.iter().map(|(_, number)| number.unwrap()).collect();
        assert_eq!(numbers, (0..40).map(|n| clip.number(n)).collect::<Vec<_>>(), "{clip:?}");
        let expected = best_effort(&path);
        assert_eq!(ours.len(), expected.len(), "{clip:?}");
        for ((pts, _), expected) in ours.iter().zip(expected) {
            assert!(expected.is_none_or(|expected| expected == *pts), "{clip:?}: {pts} is {expected:?}");
        }
    }
}

#[test]
fn raw_streams_without_reordering_run_at_their_nominal_rate() {
    let folder = tempfile::tempdir().unwrap();
    let clip = Clip::new(192, 128).frames(30).container(Container::Raw).params("bframes=0:keyint=10");
    let ours = numbered(&clip.write(folder.path())).unwrap();
    assert_eq!(ours.len(), 30);
    for (n, (pts, number)) in (0..).zip(&ours) {
        assert_eq!(*number, Some(clip.number(n)));
        // Raw streams count in 1/1200000 s.
        assert_eq!(*pts, i64::from(n) * 40_000);
    }
}

#[test]
fn times_that_would_be_guesses_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let raw = Clip::new(192, 128).frames(30).container(Container::Raw).params("bframes=2:keyint=10");
    assert!(matches!(numbered(&raw.write(folder.path())), Err(DemuxError::NoTimes)));
}
