//! Lines of a playlist, and where its URIs end: a signed URL's query is hung on each for those who came with one.

use std::fmt::{self, Write as _};

use bytes::Bytes;

/// A playlist that never changes.
#[derive(Clone, Debug)]
pub(in crate::media) struct Playlist {
    text: Bytes,
    /// Ends of the URIs in it, rising, and what joins a query to each.
    ends: Vec<(usize, u8)>,
}

/// A playlist that is being written.
#[derive(Debug, Default)]
pub(super) struct Lines {
    text: String,
    ends: Vec<(usize, u8)>,
}

impl Playlist {
    /// Its text, with this query added to all URIs.
    pub(in crate::media) fn with_query(&self, query: Option<&str>) -> Bytes {
        let Some(query) = query else { return self.text.clone() };
        let mut text = Vec::with_capacity(self.text.len() + self.ends.len() * (query.len() + 1));
        let mut from = 0;
        for (end, joint) in &self.ends {
            text.extend_from_slice(&self.text[from..*end]);
            text.push(*joint);
            text.extend_from_slice(query.as_bytes());
            from = *end;
        }
        text.extend_from_slice(&self.text[from..]);
        text.into()
    }
}

impl Lines {
    /// A line.
    pub(super) fn line(&mut self, line: fmt::Arguments<'_>) {
        self.put(line);
        self.text.push('\n');
    }

    /// The URI of a segment, a line of its own.
    pub(super) fn uri(&mut self, uri: fmt::Arguments<'_>) {
        self.linked(uri);
        self.text.push('\n');
    }

    /// A tag with a URI: what stands before the URI, it, and what follows its closing quote.
    pub(super) fn tag(
        &mut self,
        before: fmt::Arguments<'_>,
        uri: fmt::Arguments<'_>,
        after: fmt::Arguments<'_>,
    ) {
        self.put(before);
        self.text.push_str("URI=\"");
        self.linked(uri);
        self.text.push('"');
        self.put(after);
        self.text.push('\n');
    }

    pub(super) fn finish(self) -> Playlist {
        Playlist { text: self.text.into(), ends: self.ends }
    }

    fn linked(&mut self, uri: fmt::Arguments<'_>) {
        let from = self.text.len();
        self.put(uri);
        let joint = if self.text[from..].contains('?') { b'&' } else { b'?' };
        self.ends.push((self.text.len(), joint));
    }

    fn put(&mut self, words: fmt::Arguments<'_>) {
        self.text.write_fmt(words).expect("a string takes all");
    }
}
