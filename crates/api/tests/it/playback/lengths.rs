//! What playlists say of lengths holds, whatever the times of the pictures are.

use std::sync::Arc;

use proptest::{
    prelude::*,
    test_runner::{Config, TestRunner},
};

use super::{camera::Camera, stand, values};

/// Ticks of a millisecond.
const MS: i64 = 90;

/// Steady, rounded to milliseconds, varying, stumbling and silent sources.
fn timings() -> impl Strategy<Value = Vec<i64>> {
    let steady = (8_i64..1200).prop_map(|step| vec![step; 250]);
    let jitter = (15_i64..210, 1_i64..12)
        .prop_flat_map(|(step, by)| proptest::collection::vec(step - by..=step + by, 250));
    let varying = proptest::collection::vec(prop_oneof![4 => 5_i64..70, 1 => 70_i64..400], 250);
    let stumbling = (20_i64..70).prop_flat_map(|step| {
        proptest::collection::vec(prop_oneof![30 => Just(step), 1 => 1_i64..5000], 250)
    });
    prop_oneof![steady, jitter, varying, stumbling]
}

fn seconds(attributes: &str) -> f64 {
    let number = attributes.trim_start_matches("DURATION=").split(',').next().unwrap();
    number.parse().unwrap()
}

/// Sections 4.4.3.1, 4.4.3.7 and 4.4.4.9: of each segment all parts, or none, and as long together as it is.
fn check(text: &str) -> Result<(String, String), TestCaseError> {
    let target = values(text, "#EXT-X-TARGETDURATION")[0];
    let part_target = values(text, "#EXT-X-PART-INF")[0];
    let longest: f64 = part_target.trim_start_matches("PART-TARGET=").parse().unwrap();
    let (mut parts, mut count) = (0.0, 0);
    for line in text.lines() {
        if let Some(part) = line.strip_prefix("#EXT-X-PART:") {
            prop_assert!(seconds(part) <= longest + 1e-6, "{} of {}", part, longest);
            (parts, count) = (parts + seconds(part), count + 1);
        } else if let Some(segment) = line.strip_prefix("#EXTINF:") {
            prop_assert!(seconds(segment).round() <= target.parse().unwrap(), "{} of {}", segment, target);
            prop_assert!(
                count == 0 || (parts - seconds(segment)).abs() < 1e-6 * f64::from(count + 1),
                "{} {}",
                parts,
                segment
            );
            (parts, count) = (0.0, 0);
        }
    }
    Ok((target.to_owned(), part_target.to_owned()))
}

/// The playlist of each state that the stream goes through.
async fn check_all(steps: &[i64]) -> Result<(), TestCaseError> {
    let stand = stand("cam1").await;
    let mut camera = Camera::new(&stand, "cam1").await;
    let view = stand.archive.live(&"cam1".parse().unwrap()).unwrap();
    let ticks: Vec<i64> = steps.iter().map(|step| step * MS).collect();
    let (mut seen, mut promised) = (view.now(), None);
    camera.retime(&ticks);
    for _picture in steps {
        camera.show(1);
        let now = view.now();
        if now.segments.len() < 2 || now.target_seconds == 0 || Arc::ptr_eq(&seen, &now) {
            continue;
        }
        seen = now;
        let text = stand.get("/api/v1/streams/cam1/hls/live.m3u8").await.with_status(200).text();
        let promises = check(&text)?;
        prop_assert_eq!(promised.get_or_insert_with(|| promises.clone()), &promises, "promises change");
    }
    prop_assert!(promised.is_some() || steps.iter().sum::<i64>() < 13_000, "nothing was played");
    camera.end(&stand).await;
    Ok(())
}

#[test]
fn promises_of_lengths_are_kept() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let mut runner = TestRunner::new(Config { cases: 24, failure_persistence: None, ..Config::default() });
    runner.run(&timings(), |steps| runtime.block_on(check_all(&steps))).unwrap();
}
