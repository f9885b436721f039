//! Parameter sets by kind and number.

use std::collections::BTreeMap;

use bytes::Bytes;

use crate::bitstream::shape::SetKind;

/// All sets of a stream together; no stream comes near.
const MOST_BYTES: usize = 256 << 10;
/// As many as `avcC` can count, of a kind. Also of what comes along in `hvcC`.
const MOST_OF_A_KIND: usize = 31;

/// The newest parameter set of each number.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in super::super) struct Sets {
    by_number: BTreeMap<(SetKind, u16), Bytes>,
    /// The sequence parameter set that came last speaks for the stream.
    newest: Option<u16>,
    bytes: usize,
}

impl Sets {
    /// Keeps a set; false where there is no room for it.
    pub(super) fn keep(&mut self, (kind, id): (SetKind, u16), nal: &[u8]) -> bool {
        let old = self.by_number.get(&(kind, id));
        if old.is_some_and(|old| old == nal) {
            self.newest = if kind == SetKind::Sequence { Some(id) } else { self.newest };
            return true;
        }
        let bytes = self.bytes - old.map_or(0, Bytes::len) + nal.len();
        let full = old.is_none() && self.of(kind).count() >= MOST_OF_A_KIND;
        if full || bytes > MOST_BYTES || nal.len() > usize::from(u16::MAX) {
            return false;
        }
        self.bytes = bytes;
        self.newest = if kind == SetKind::Sequence { Some(id) } else { self.newest };
        self.by_number.insert((kind, id), Bytes::copy_from_slice(nal));
        true
    }

    /// Whether this very set is here.
    pub(super) fn holds(&self, key: (SetKind, u16), nal: &[u8]) -> bool {
        self.by_number.get(&key).is_some_and(|set| set == nal)
    }

    /// Sets of a kind by number.
    pub(super) fn of(&self, kind: SetKind) -> impl Iterator<Item = &Bytes> {
        self.by_number.range((kind, 0)..=(kind, u16::MAX)).map(|(_, set)| set)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&(SetKind, u16), &Bytes)> {
        self.by_number.iter()
    }

    /// The set that speaks for the stream.
    pub(in super::super) fn first(&self, kind: SetKind) -> Option<&Bytes> {
        let newest = self.newest.filter(|_| kind == SetKind::Sequence);
        newest.and_then(|id| self.by_number.get(&(kind, id))).or_else(|| self.of(kind).next())
    }
}
