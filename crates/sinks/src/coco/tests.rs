//! The parts of a COCO file, and images that cannot be kept.

use std::io::{self, Cursor, ErrorKind, Read, Seek, SeekFrom, Write};

use ocelli_model::TrackId;
use serde_json::{Value, json};

use super::{CocoWriter, categories::Categories};
use crate::{
    ExportError, FrameRecord,
    frame_record::tests::{check_export, detection, failed, frame, version, written},
};

fn parsed(frames: &[FrameRecord<'_>]) -> Value {
    let coco = CocoWriter::with_images(Vec::new(), Cursor::new(Vec::new()));
    let text = written(coco, frames, CocoWriter::write, CocoWriter::finish);
    assert!(text.ends_with("]}\n"));
    serde_json::from_str(&text).unwrap()
}

#[test]
fn images_and_annotations_are_exact() {
    let version = version();
    let two = [detection("car", 0.913_72, -1e-9), detection("person", 1.0, 0.25)];
    let tracks = [None, Some(TrackId(12))];
    let later = FrameRecord { run: 1, slot: None, ..frame(&version, 30, &two[..1], &[]) };
    let coco = parsed(&[
        frame(&version, 0, &two, &tracks),
        failed(&version, 1),
        frame(&version, 2, &[], &[]),
        later,
    ]);
    let image = |id: u64, run: u64, pts: i64, seconds: f64, slot: Option<i64>| {
        json!({"id": id, "file_name": format!("clip.mp4#run={run},pts={pts}"), "width": 641, "height": 360,
            "input": "clip.mp4", "run": run, "pts": pts, "time_base": [1, 25], "seconds": seconds, "slot": slot})
    };
    let images = [image(1, 0, 0, 0.0, Some(0)), image(2, 0, 2, 0.08, Some(2)), image(3, 1, 30, 1.2, None)];
    assert_eq!(coco["images"], json!(images));
    let annotation = |id: u64, image: u64, category: u64, x: f64, score: f64| {
        json!({"id": id, "image_id": image, "category_id": category, "bbox": [x, 180.0, 64.1, 120.0],
            "area": 7692.0, "iscrowd": 0, "segmentation": [], "score": score, "model": "yolo",
            "analyzer_version": version.as_str()})
    };
    let mut annotations =
        [annotation(1, 1, 3, 0.0, 0.9137), annotation(2, 1, 1, 160.3, 1.0), annotation(3, 3, 3, 0.0, 0.9137)];
    annotations[1]["track_id"] = json!(12);
    assert_eq!(coco["annotations"], json!(annotations));
    assert_eq!(coco["categories"].as_array().unwrap().len(), 80);
}

#[test]
fn nothing_seen_is_valid_too() {
    for frames in [&[] as &[FrameRecord<'_>], &[frame(&version(), 0, &[], &[])]] {
        let coco = parsed(frames);
        assert_eq!(coco["images"].as_array().unwrap().len(), frames.len());
        assert_eq!(coco["annotations"], json!([]));
    }
}

#[test]
fn models_that_look_at_one_frame_share_its_image() {
    let version = version();
    let seen = [detection("car", 0.5, 0.1)];
    let first = frame(&version, 0, &seen, &[]);
    let second = FrameRecord { model: "ssd", ..first };
    let next = frame(&version, 1, &seen, &[]);
    let coco = parsed(&[first, second, next, FrameRecord { input: "other.mp4", ..next }]);
    let images: Vec<_> = coco["annotations"].as_array().unwrap().iter().map(|one| &one["image_id"]).collect();
    assert_eq!(images, [1, 1, 2, 3]);
    assert_eq!(coco["images"].as_array().unwrap().len(), 3);
    assert_eq!(coco["annotations"][1]["model"], "ssd");
}

#[test]
fn categories_are_cocos_own_and_others_follow() {
    let mut categories = Categories::new();
    let ids = ["person", "toothbrush", "stop sign", "n/a", "forklift", "Person", "forklift", "car"]
        .map(|label| categories.id(label));
    assert_eq!(ids, [1, 90, 13, 91, 92, 93, 92, 3]);
    let all: Vec<_> = categories.all().collect();
    assert_eq!(all.len(), 83);
    assert_eq!(all[80..], [(91, "n/a"), (92, "forklift"), (93, "Person")]);
    assert!(all.windows(2).all(|pair| pair[0].0 < pair[1].0));
}

#[test]
fn failures_stay_failures() {
    let new = |output| CocoWriter::with_images(output, Cursor::new(Vec::new()));
    check_export(new, CocoWriter::write, CocoWriter::finish);
}

/// A temporary file that fails at one of its uses.
#[derive(Debug)]
struct Failing(&'static str);

impl Failing {
    fn at(&self, what: &str) -> io::Result<()> {
        if self.0 == what { Err(ErrorKind::StorageFull.into()) } else { Ok(()) }
    }
}

impl Write for Failing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.at("write").map(|()| bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Read for Failing {
    fn read(&mut self, _bytes: &mut [u8]) -> io::Result<usize> {
        self.at("read").map(|()| 0)
    }
}

impl Seek for Failing {
    fn seek(&mut self, _to: SeekFrom) -> io::Result<u64> {
        self.at("seek").map(|()| 0)
    }
}

#[test]
fn images_that_cannot_be_kept_end_the_file() {
    let version = version();
    for use_of_it in ["write", "read", "seek"] {
        let mut coco = CocoWriter::with_images(Vec::new(), Failing(use_of_it));
        // More than is buffered.
        let failure = (0..2000).find_map(|slot| coco.write(&frame(&version, slot, &[], &[])).err());
        let failure = match failure {
            Some(failure) => {
                assert!(matches!(coco.write(&frame(&version, 1, &[], &[])), Err(ExportError::Broken)));
                assert!(matches!(coco.finish(), Err(ExportError::Broken)));
                failure
            }
            None => coco.finish().unwrap_err(),
        };
        assert!(matches!(failure, ExportError::Images(_)), "{use_of_it}: {failure}");
    }
}
