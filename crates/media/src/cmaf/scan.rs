//! What of a segment file is whole.

use std::ops::Range;

use super::{boxes, layout::Layout};

/// The whole head of a segment file. What follows it was torn, or is not ours.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scan {
    /// Length of the initialisation segment; 0 where it is not all there, and then there is nothing else either.
    pub init: usize,
    /// Whole parts, one after the other from `init` on.
    pub parts: Vec<Range<usize>>,
    /// Length of all that: where to cut a file whose tail is torn.
    pub whole: usize,
}

/// Finds the initialisation segment and the whole parts that follow it, up to the first byte that does not fit. A part counts if its
/// boxes add up and its checksum is right, so that holes which were never written end the scan too. Reads all bytes once.
pub fn scan(bytes: &[u8]) -> Scan {
    let Some(init) = init_bytes(bytes) else { return Scan::default() };
    let mut scan = Scan { init, parts: Vec::new(), whole: init };
    while let Ok(layout) = Layout::read(&bytes[scan.whole..]) {
        let end = scan.whole + layout.bytes;
        scan.parts.push(scan.whole..end);
        scan.whole = end;
    }
    scan
}

/// `ftyp` and `moov`.
fn init_bytes(bytes: &[u8]) -> Option<usize> {
    let ftyp = boxes::first(bytes).filter(|atom| atom.name == *b"ftyp")?;
    let moov = boxes::first(&bytes[ftyp.len()..]).filter(|atom| atom.name == *b"moov")?;
    Some(ftyp.len() + moov.len())
}
