//! Enumerations as the database holds them: the words of the glossary.

use crate::{AnchorOrigin, BlobKind, EndState, RunState, SegmentClass, SourceKind};

/// A closed set of words.
pub(crate) trait Word: Copy + PartialEq + 'static {
    const WORDS: &'static [(Self, &'static str)];

    fn word(self) -> &'static str {
        Self::WORDS.iter().find(|(value, _)| *value == self).map_or("", |(_, word)| word)
    }

    fn read(word: &str) -> Option<Self> {
        Self::WORDS.iter().find(|(_, known)| *known == word).map(|(value, _)| *value)
    }
}

impl Word for RunState {
    const WORDS: &'static [(Self, &'static str)] = &[
        (Self::Open, "open"),
        (Self::Whole, "whole"),
        (Self::Partial, "partial"),
        (Self::Unclean, "unclean"),
    ];
}

impl Word for SourceKind {
    const WORDS: &'static [(Self, &'static str)] = &[(Self::File, "file"), (Self::Stream, "stream")];
}

impl Word for BlobKind {
    const WORDS: &'static [(Self, &'static str)] = &[(Self::Media, "media"), (Self::Annotated, "annotated")];
}

impl Word for EndState {
    const WORDS: &'static [(Self, &'static str)] =
        &[(Self::Completed, "completed"), (Self::Stopped, "stopped"), (Self::Error, "error")];
}

impl Word for AnchorOrigin {
    const WORDS: &'static [(Self, &'static str)] =
        &[(Self::SenderReport, "sender_report"), (Self::Arrival, "arrival")];
}

impl Word for SegmentClass {
    const WORDS: &'static [(Self, &'static str)] =
        &[(Self::Other, "other"), (Self::Event, "event"), (Self::Pinned, "pinned")];
}

/// For those who show them.
macro_rules! words {
    ($($name:ident),*) => { $(
        impl $name {
            /// Its word, the same in the store and for people.
            pub fn word(self) -> &'static str {
                Word::word(self)
            }
        }
    )* };
}

words!(RunState, SourceKind, BlobKind, EndState, AnchorOrigin, SegmentClass);
