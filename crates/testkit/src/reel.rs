//! Coded pictures of a file, for tests that stand in for whoever receives them.

use std::{fs::File, path::Path};

use ocelli_media::{AccessUnit, libav::Demuxer};

/// All of them, in decode order.
#[derive(Debug)]
pub struct Reel {
    /// As the demuxer gives them.
    pub units: Vec<AccessUnit>,
}

impl Reel {
    /// Reads a clip of this crate's own making.
    pub fn read(path: &Path) -> Self {
        let file = File::open(path).expect("the clip is there");
        let mut demuxer = Demuxer::open(Box::new(file)).expect("the clip can be read");
        let mut units = Vec::new();
        while let Some(unit) = demuxer.next_unit().expect("the clip is whole") {
            units.push(unit);
        }
        Self { units }
    }
}
