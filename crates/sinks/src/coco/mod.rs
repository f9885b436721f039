//! Detections as a COCO file, what `pycocotools` and most annotation tools read.

mod categories;
mod entries;
#[cfg(test)]
mod tests;

use std::{
    fs::File,
    io::{self, BufWriter, Read, Seek, SeekFrom, Write},
    path::Path,
};

use ocelli_model::Verdict;
use serde::Serialize;

use crate::{ExportError, FrameRecord, output::Output};
use categories::Categories;
use entries::{Annotation, Category, Image};

const HEAD: &[u8] = br#"{"info":{"description":"detections by Ocelli"},"licenses":[],"annotations":["#;
const COPY_BYTES: usize = 1 << 16;

/// Writes one COCO object: `info`, `licenses`, `annotations`, `images`, `categories`, one entry a line.
///
/// An image is a frame that was looked at, with or without detections; failed frames have none. Its `id` counts from
/// 1, its `file_name` is `INPUT#run=RUN,pts=PTS`; beside `width` and `height` it has `input`, `run`, `pts`, `time_base`,
/// `seconds` and `slot`, as in JSON Lines. Frames that follow each other with the same input, run and PTS share one
/// image: so several models that looked at one frame are written one after the other.
///
/// An annotation has `id` (from 1), `image_id`, `category_id`, `bbox` (`[x, y, width, height]` in pixels of the displayed
/// picture from its top left corner, one decimal), `area` (of that box), `iscrowd` 0, an empty `segmentation`, `score`
/// (the confidence, four decimals), `track_id` where the detection has a track, `model` and `analyzer_version`. The list
/// is also what `COCO.loadRes` takes.
///
/// `categories` are always COCO's 80 under COCO's own numbers (1 to 90, with holes); labels that COCO does not know
/// count on from 91 in the order of their first appearance, so that a file of one model's classes keeps its numbers.
///
/// Annotations are written as they come and images wait in a temporary file: memory does not grow with the video. The
/// file is no JSON before [`CocoWriter::finish`].
#[derive(Debug)]
pub struct CocoWriter<W, S: Write = File> {
    output: Output<W>,
    images: BufWriter<S>,
    categories: Categories,
    last_image: Option<(String, u64, i64)>,
    image_count: u64,
    annotation_count: u64,
    started: bool,
    entries: Vec<u8>,
}

impl<W: Write> CocoWriter<W> {
    /// Writes to `output` as it is; buffering is not needed. Images wait in a file without a name in `folder`: best
    /// that of the output, for the common folder of temporary files may lie in memory. About 200 bytes each.
    pub fn new(output: W, folder: &Path) -> Result<Self, ExportError> {
        let images = tempfile::tempfile_in(folder).map_err(ExportError::Images)?;
        Ok(Self::with_images(output, images))
    }
}

impl<W: Write, S: Read + Write + Seek> CocoWriter<W, S> {
    /// The same with another place for the images: empty, read back from its beginning at the end.
    pub fn with_images(output: W, images: S) -> Self {
        Self {
            output: Output::new(output),
            images: BufWriter::with_capacity(COPY_BYTES, images),
            categories: Categories::new(),
            last_image: None,
            image_count: 0,
            annotation_count: 0,
            started: false,
            entries: Vec::new(),
        }
    }

    /// Writes one frame and gives its verdict: one with a number that is not finite is *failed*, and nothing of it is
    /// written.
    pub fn write(&mut self, frame: &FrameRecord<'_>) -> Result<Verdict, ExportError> {
        self.output.check()?;
        let Ok(analysed) = frame.analysed() else { return Ok(Verdict::Failed) };
        self.entries.clear();
        let known = |(input, run, pts): &(String, u64, i64)| {
            (&**input, *run, *pts) == (frame.input, frame.run, frame.pts)
        };
        if !self.last_image.as_ref().is_some_and(known) {
            self.image_count += 1;
            let image = Image::of(self.image_count, frame, &analysed);
            entry(&mut self.entries, self.image_count == 1, &image);
            if let Err(cause) = self.images.write_all(&self.entries) {
                return Err(self.no_images(cause));
            }
            self.last_image = Some((frame.input.to_owned(), frame.run, frame.pts));
            self.entries.clear();
        }
        self.start();
        for seen in &analysed.seen {
            self.annotation_count += 1;
            let category = self.categories.id(seen.label);
            let annotation = Annotation::of(self.annotation_count, self.image_count, category, frame, seen);
            entry(&mut self.entries, self.annotation_count == 1, &annotation);
        }
        self.output.write(&self.entries)?;
        Ok(Verdict::Analysed)
    }

    /// Ends the file and gives the output back, flushed. A file without frames is valid too.
    pub fn finish(mut self) -> Result<W, ExportError> {
        self.output.check()?;
        self.entries.clear();
        self.start();
        self.entries.extend_from_slice(b"\n],\"images\":[");
        self.output.write(&self.entries)?;
        self.copy_images()?;
        self.entries.clear();
        self.entries.extend_from_slice(b"\n],\"categories\":[");
        for (index, (id, name)) in self.categories.all().enumerate() {
            entry(&mut self.entries, index == 0, &Category { id, name });
        }
        self.entries.extend_from_slice(b"\n]}\n");
        self.output.write(&self.entries)?;
        self.output.flush()?;
        Ok(self.output.into_inner())
    }

    fn start(&mut self) {
        if !self.started {
            self.entries.extend_from_slice(HEAD);
            self.started = true;
        }
    }

    fn copy_images(&mut self) -> Result<(), ExportError> {
        if let Err(cause) = self.images.seek(SeekFrom::Start(0)) {
            return Err(self.no_images(cause));
        }
        let mut piece = vec![0; COPY_BYTES];
        loop {
            match self.images.get_mut().read(&mut piece) {
                Ok(0) => return Ok(()),
                Ok(read) => self.output.write(&piece[..read])?,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(cause) => return Err(self.no_images(cause)),
            }
        }
    }

    fn no_images(&mut self, cause: io::Error) -> ExportError {
        self.output.give_up();
        ExportError::Images(cause)
    }
}

/// Appends one entry of a list, on a line of its own.
fn entry(entries: &mut Vec<u8>, first: bool, value: &impl Serialize) {
    entries.extend_from_slice(if first { b"\n" } else { b",\n" });
    serde_json::to_writer(entries, value).expect("values with string keys, into memory");
}
