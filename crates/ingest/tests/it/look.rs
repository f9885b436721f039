//! Opens sources of this machine, and reads the painted numbers of what they give.

use std::time::Duration;

use ocelli_ingest::{
    Source, SourceError,
    pull::{RtspOptions, RtspSource},
};
use ocelli_media::{AccessUnit, decode::Decoder as _, libav::LibavDecoder};
use ocelli_net::{AddressPolicy, networks};
use ocelli_testkit::read_number;

/// For servers of this machine.
pub(crate) fn options() -> RtspOptions {
    RtspOptions::new(AddressPolicy::operator().with(networks("127.0.0.1").unwrap()))
}

/// For servers that fall silent once they play.
pub(crate) fn impatient() -> RtspOptions {
    RtspOptions { stall_timeout: Duration::from_secs(1), ..options() }
}

pub(crate) fn open(url: &str, options: RtspOptions) -> Result<RtspSource, SourceError> {
    RtspSource::open(&url.parse()?, options)
}

/// Units up to the end, or to what went wrong.
pub(crate) fn drain(source: &mut dyn Source) -> (Vec<AccessUnit>, Option<SourceError>) {
    let mut units = Vec::new();
    loop {
        match source.next_unit() {
            Ok(Some(unit)) => units.push(unit),
            Ok(None) => return (units, None),
            Err(error) => return (units, Some(error)),
        }
    }
}

/// PTS, painted number and size of every picture, in the order of the decoder: a new one for new parameters.
pub(crate) fn numbers(units: &[AccessUnit]) -> Vec<(i64, Option<u32>, (u32, u32))> {
    let mut seen = Vec::new();
    let changed = |a: &AccessUnit, b: &AccessUnit| std::sync::Arc::ptr_eq(&a.parameters, &b.parameters);
    for group in units.chunk_by(changed) {
        let mut decoder = LibavDecoder::open(&group[0].parameters).unwrap();
        let mut take = |decoder: &mut LibavDecoder| {
            while let Some(decoded) = decoder.receive().unwrap() {
                let frame = decoded.frame.unwrap().unwrap();
                let picture = frame.picture();
                let (luma, size) = (picture.planes[0], (picture.width, picture.height));
                let number = read_number(luma.data, luma.stride, size.0 as usize, size.1 as usize);
                seen.push((decoded.pts, number, size));
            }
        };
        for unit in group {
            decoder.send(unit, true).unwrap();
            take(&mut decoder);
        }
        decoder.send_end();
        take(&mut decoder);
    }
    seen
}
