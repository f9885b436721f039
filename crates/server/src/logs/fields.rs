//! Fields of events and spans, read once, without secrets.

use std::{
    error::Error,
    fmt::{self, Write as _},
};

use serde_json::Value;
use tracing::field::{Field, Visit};

use super::redact::Redactor;

/// Most bytes of a value that are read at all.
const MOST_READ_BYTES: usize = 64 << 10;
/// Most bytes of a value that are shown.
const MOST_SHOWN_BYTES: usize = 2 << 10;
/// Most fields of one event or span.
const MOST_FIELDS: usize = 64;

/// Fields as they are read.
#[derive(Debug)]
pub(super) struct Fields<'a> {
    redactor: &'a Redactor,
    found: Finished,
}

/// Names and values, secrets masked, lengths bounded.
#[derive(Clone, Debug, Default)]
pub(super) struct Finished(Vec<(&'static str, Value)>);

impl<'a> Fields<'a> {
    pub(super) fn new(redactor: &'a Redactor) -> Self {
        Self { redactor, found: Finished::default() }
    }

    pub(super) fn finish(self) -> Finished {
        self.found
    }

    fn text(&mut self, field: &Field, value: fmt::Arguments<'_>) {
        let mut text = Bounded(String::new());
        // It ends early where the value is too long: then there is enough.
        text.write_fmt(value).ok();
        let mut shown = self.redactor.masked(field.name(), text.0);
        if shown.len() > MOST_SHOWN_BYTES {
            let end = shown.floor_char_boundary(MOST_SHOWN_BYTES);
            shown.truncate(end);
            shown.push('…');
        }
        self.found.put(field.name(), Value::String(shown));
    }

    fn value(&mut self, field: &Field, value: impl Into<Value> + fmt::Display) {
        if Redactor::is_secret(field.name()) {
            self.text(field, format_args!("{value}"));
        } else {
            self.found.put(field.name(), value.into());
        }
    }
}

impl Finished {
    pub(super) fn iter(&self) -> impl Iterator<Item = &(&'static str, Value)> {
        self.0.iter()
    }

    /// Takes newer fields over older ones of the same name.
    pub(super) fn extend(&mut self, newer: Self) {
        for (name, value) in newer.0 {
            self.put(name, value);
        }
    }

    fn put(&mut self, name: &'static str, value: Value) {
        if let Some((_, old)) = self.0.iter_mut().find(|(known, _)| *known == name) {
            *old = value;
        } else if self.0.len() < MOST_FIELDS {
            self.0.push((name, value));
        }
    }
}

impl Visit for Fields<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.text(field, format_args!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.text(field, format_args!("{value}"));
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        let mut words = value.to_string();
        let mut cause = value.source();
        while let Some(error) = cause.filter(|_| words.len() < MOST_SHOWN_BYTES) {
            write!(words, ": {error}").ok();
            cause = error.source();
        }
        self.text(field, format_args!("{words}"));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.value(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.value(field, value);
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.value(field, value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.value(field, value);
    }
}

/// Takes so many bytes and no more.
struct Bounded(String);

impl fmt::Write for Bounded {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let room = MOST_READ_BYTES - self.0.len();
        self.0.push_str(&text[..text.floor_char_boundary(room)]);
        if text.len() > room { Err(fmt::Error) } else { Ok(()) }
    }
}
