//! Random GOP structures, frame rates and times.

use ocelli_testkit::{Clip, ClipCodec, Container};
use proptest::prelude::*;

use super::check_file;

/// An encoder's choices.
#[derive(Clone, Debug)]
struct Coding {
    codec: ClipCodec,
    keyint: u32,
    bframes: u32,
    pyramid: bool,
    open_gop: bool,
    scenecut: bool,
    references: u32,
}

fn coding() -> impl Strategy<Value = Coding> {
    let codec = prop_oneof![3 => Just(ClipCodec::X264), 1 => Just(ClipCodec::X265)];
    (codec, 1_u32..50, 0_u32..5, any::<bool>(), any::<bool>(), any::<bool>(), 1_u32..5).prop_map(
        |(codec, keyint, bframes, pyramid, open_gop, scenecut, references)| Coding {
            codec,
            keyint,
            bframes,
            pyramid,
            open_gop,
            scenecut,
            references,
        },
    )
}

fn params(coding: &Coding) -> String {
    let Coding { codec, keyint, bframes, pyramid, open_gop, scenecut, references } = coding;
    let pyramid = match (codec, pyramid) {
        (ClipCodec::X265, pyramid) => u32::from(*pyramid).to_string(),
        (_, true) => "normal".to_owned(),
        (_, false) => "none".to_owned(),
    };
    let (open_gop, scenecut) = (u32::from(*open_gop), u32::from(*scenecut) * 40);
    format!(
        "keyint={keyint}:bframes={bframes}:b-pyramid={pyramid}:open-gop={open_gop}:scenecut={scenecut}:ref={references}"
    )
}

/// Steps of 1/1000 s: about 30 fps, now and then a long pause.
fn times() -> impl Strategy<Value = Vec<i64>> {
    let step = prop_oneof![8 => 30_i64..36, 2 => 5_i64..80, 1 => 400_i64..2500];
    (0_i64..5_000, proptest::collection::vec(step, 70)).prop_map(|(start, steps)| {
        let after = |pts: &mut i64, step: i64| {
            *pts += step;
            Some(*pts)
        };
        steps.into_iter().scan(start, after).collect()
    })
}

proptest! {
    // Each case encodes a clip and decodes it five times.
    #![proptest_config(ProptestConfig { cases: 12, max_shrink_iters: 20, ..ProptestConfig::default() })]

    #[test]
    fn random_streams_are_chosen_and_decoded_as_the_oracle_says(coding in coding(), times in times()) {
        let folder = tempfile::tempdir().unwrap();
        let clip = Clip::new(96, 64)
            .codec(coding.codec)
            .timestamps(1000, &times)
            .container(Container::Mkv)
            .params(&params(&coding));
        check_file(&format!("{coding:?}"), &clip.write(folder.path()), &["0.3", "1", "6", "29.97", "all"]);
    }
}
