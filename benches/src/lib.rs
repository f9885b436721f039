//! What the oracle found for one clip and rate, as the floor and the peers read it.

use std::{fs::File, io::BufReader, path::Path};

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};

/// Which pictures, and which packets a decoder needs for them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// Seconds per tick, as numerator and denominator.
    pub time_base: (u32, u32),
    /// Coded pictures in the clip.
    pub pictures: usize,
    /// Packets to decode, counted in decode order, ascending.
    pub needed: Vec<usize>,
    /// Those of `needed` that are keyframes behind a gap: what is held back must come out before them.
    pub restarts: Vec<usize>,
    /// PTS of the chosen pictures, ascending.
    pub chosen: Vec<i64>,
    /// Where the chosen pictures stand among all in PTS order, for readers that count frames.
    pub shown: Vec<usize>,
    /// What the chosen pictures have in common, for decoders that can skip by kind.
    pub kind: Kind,
}

/// The narrowest kind that holds every chosen picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Keyframes only.
    Keyframes,
    /// Reference pictures only.
    References,
    /// Some are neither.
    Any,
}

impl Plan {
    /// Reads what `oracle` wrote.
    pub fn read(path: &Path) -> Result<Self> {
        let file = File::open(path).with_context(|| path.display().to_string())?;
        serde_json::from_reader(BufReader::new(file)).with_context(|| path.display().to_string())
    }
}
