//! What the product does with a file, up to decoded pictures.

use std::{
    collections::BTreeSet,
    fs,
    io::{self, Cursor, Read, Seek, SeekFrom},
    path::Path,
    sync::Arc,
};

use md5::{Digest as _, Md5};
use ocelli_media::{
    AccessUnit, CodecParameters,
    bitstream::{PictureInfo, PictureReader},
    decode::{Decoder, Decoding, PictureError},
    fields::FieldPairs,
    libav::{Demuxer, Frame, LibavDecoder},
    sampler::{Resume, Sampler, Step},
};
use ocelli_model::SamplingPlan;

/// A file as units with what the reader says of them; `None` where it says there is no picture.
pub(crate) struct Units {
    pub(crate) parameters: Arc<CodecParameters>,
    pub(crate) units: Vec<(AccessUnit, Option<PictureInfo>)>,
}

/// What came of it.
#[derive(Debug, Default)]
pub(crate) struct Product {
    /// PTS and slot, in PTS order; slots of `all` count from 0 as the oracle's do.
    pub(crate) chosen: Vec<(i64, i64)>,
    /// Units fed, counted in decode order from the start of the file.
    pub(crate) fed: BTreeSet<usize>,
    /// PTS and MD5 of each chosen picture, or why it failed.
    pub(crate) pictures: Vec<(i64, Result<String, String>)>,
    /// PTS of choices that nobody wanted.
    pub(crate) passed: Vec<i64>,
    /// PTS of `pictures` and `passed` in the order in which they came.
    pub(crate) order: Vec<i64>,
    pub(crate) empty: u64,
    pub(crate) runs: usize,
    pub(crate) most_held: usize,
}

/// Hands out at most so many bytes at once.
struct Drip(Cursor<Vec<u8>>, usize);

impl Read for Drip {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = buffer.len().min(self.1);
        self.0.read(&mut buffer[..most])
    }
}

impl Seek for Drip {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.0.seek(to)
    }
}

/// Reads all units; `chunk` bounds what a single read returns.
pub(crate) fn units(path: &Path, chunk: usize) -> Units {
    let bytes = fs::read(path).unwrap();
    let mut demuxer = Demuxer::open(Box::new(Drip(Cursor::new(bytes), chunk))).unwrap();
    let parameters = Arc::clone(demuxer.parameters());
    let mut reader = PictureReader::new(&parameters);
    let (mut fields, mut units) = (FieldPairs::default(), Vec::new());
    while let Some(unit) = demuxer.next_unit().unwrap() {
        let info = reader.read(&unit.data, unit.container_keyframe).ok();
        fields.push(unit, info);
    }
    fields.flush();
    units.extend(std::iter::from_fn(|| fields.next_unit()));
    Units { parameters, units }
}

/// Samples and decodes units from `first` on.
pub(crate) fn run(input: &Units, first: usize, plan: SamplingPlan, resume: Option<Resume>) -> Product {
    let mut sampler = Sampler::new(plan, input.parameters.time_base);
    if let Some(resume) = resume {
        sampler = sampler.resume(resume);
    }
    run_with(input, first, plan, sampler)
}

/// The same with a sampler of the caller's, which follows the same plan.
pub(crate) fn run_with(input: &Units, first: usize, plan: SamplingPlan, mut sampler: Sampler) -> Product {
    let open = |parameters: &_| Ok(Box::new(LibavDecoder::open(parameters)?) as Box<dyn Decoder>);
    let mut decoding = Decoding::new(Box::new(open));
    let mut product = Product::default();
    for (unit, info) in &input.units[first..] {
        let Some(info) = info else { continue };
        sampler.push(unit.clone(), *info);
        product.most_held = product.most_held.max(sampler.held_bytes());
        take(&mut sampler, &mut decoding, input, &mut product);
    }
    sampler.finish();
    take(&mut sampler, &mut decoding, input, &mut product);
    product.chosen.sort_unstable();
    if plan == SamplingPlan::All {
        for (rank, (_, slot)) in product.chosen.iter_mut().enumerate() {
            *slot = rank as i64;
        }
    }
    product
}

fn take(sampler: &mut Sampler, decoding: &mut Decoding, input: &Units, product: &mut Product) {
    while let Some(step) = sampler.next_step() {
        match step {
            Step::Run { .. } => product.runs += 1,
            Step::Empty { first, last } => product.empty += last.abs_diff(first) + 1,
            Step::EndOfRun { .. } => decoding.drain(),
            Step::Passed(passed) => {
                product.chosen.push((passed.pts, passed.slot.unwrap_or(0)));
                decoding.pass(passed);
            }
            Step::Feed(feed) => {
                let same =
                    |(unit, _): &(AccessUnit, _)| (unit.pts, unit.dts) == (feed.unit.pts, feed.unit.dts);
                let index = input.units.iter().position(same).unwrap();
                assert!(product.fed.insert(index), "unit {index} is fed twice");
                let chosen = feed.chosen.map(|chosen| (feed.unit.pts, chosen.slot.unwrap_or(0)));
                product.chosen.extend(chosen);
                decoding.feed(&feed).unwrap();
            }
        }
        for outcome in decoding.take_outcomes() {
            match outcome.picture {
                Some(picture) => product.pictures.push((outcome.pts, hashed(picture))),
                None => product.passed.push(outcome.pts),
            }
            product.order.push(outcome.pts);
        }
    }
}

/// MD5 over the planes without padding, as FFmpeg's `framemd5` counts it.
fn hashed(picture: Result<Frame, PictureError>) -> Result<String, String> {
    picture.map_err(|error| error.to_string()).map(|frame| {
        let picture = frame.picture();
        let chroma = picture.chroma_size();
        let mut md5 = Md5::new();
        for (plane, (width, height)) in
            picture.planes.iter().zip([(picture.width, picture.height), chroma, chroma])
        {
            for row in 0..height as usize {
                md5.update(&plane.data[row * plane.stride..][..width as usize]);
            }
        }
        let digest: [u8; 16] = md5.finalize().into();
        format!("{:032x}", u128::from_be_bytes(digest))
    })
}
