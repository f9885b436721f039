//! A line of the log.

use serde_json::{Map, Value};
use tracing::{Level, Metadata};
use tracing_subscriber::fmt::{format::Writer, time::FormatTime};

use super::fields::Finished;

/// Most bytes of all fields together.
const MOST_BYTES: usize = 8 << 10;
/// The field of the words themselves.
const MESSAGE: &str = "message";
/// Names that a line has of its own.
const OWN: [&str; 3] = ["timestamp", "level", "target"];

/// How lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    Plain,
    /// The level in colour.
    Coloured,
    Json,
}

/// A line as it is put together.
pub(super) struct Line {
    time: String,
    level: Level,
    target: String,
    fields: Vec<(&'static str, Value)>,
    room: usize,
}

impl Line {
    pub(super) fn new(metadata: &Metadata<'static>, time: &impl FormatTime) -> Self {
        let mut now = String::new();
        // A clock that cannot be read leaves the line without its time.
        time.format_time(&mut Writer::new(&mut now)).ok();
        let target = metadata.target().to_owned();
        Self { time: now, level: *metadata.level(), target, fields: Vec::new(), room: MOST_BYTES }
    }

    /// Adds fields; those of an inner span or of the event itself replace outer ones of their name.
    pub(super) fn add(&mut self, fields: &Finished) {
        for (name, value) in fields.iter() {
            self.fields.retain(|(known, _)| known != name);
            let length = name.len() + value.as_str().map_or(8, str::len);
            // What does not fit is left out whole: half a value may mislead.
            if let Some(room) = self.room.checked_sub(length) {
                self.room = room;
                self.fields.push((name, value.clone()));
            }
        }
    }

    /// The line with its end.
    pub(super) fn written(self, style: Style) -> String {
        match style {
            Style::Json => self.json(),
            Style::Plain | Style::Coloured => self.text(style == Style::Coloured),
        }
    }

    fn json(self) -> String {
        let mut object = Map::new();
        for (name, value) in
            [("timestamp", self.time), ("level", self.level.to_string()), ("target", self.target)]
        {
            object.insert(name.to_owned(), Value::String(value));
        }
        for (name, value) in self.fields {
            let own = if OWN.contains(&name) { "field_" } else { "" };
            object.insert(format!("{own}{name}"), value);
        }
        let mut line = String::new();
        for char in Value::Object(object).to_string().chars() {
            // JSON lets these stand; terminals and readers of lines may not.
            if is_control(char) { line.push_str(&in_json(char)) } else { line.push(char) }
        }
        line.push('\n');
        line
    }

    fn text(self, is_coloured: bool) -> String {
        let (colour, reset) = if is_coloured { (colour(self.level), "\u{1b}[0m") } else { ("", "") };
        let mut line = format!("{} {colour}{:>5}{reset} {}:", self.time, self.level.as_str(), self.target);
        let (message, rest): (Vec<_>, Vec<_>) =
            self.fields.into_iter().partition(|(name, _)| *name == MESSAGE);
        for (_, value) in message {
            line.push(' ');
            line.push_str(&escaped(value.as_str().unwrap_or_default()));
        }
        for (name, value) in rest {
            let value = value.as_str().map_or_else(|| value.to_string(), quoted);
            line.push_str(&format_args!(" {name}={value}").to_string());
        }
        line.push('\n');
        line
    }
}

fn colour(level: Level) -> &'static str {
    match level {
        Level::ERROR => "\u{1b}[31m",
        Level::WARN => "\u{1b}[33m",
        Level::INFO => "\u{1b}[32m",
        _ => "\u{1b}[34m",
    }
}

/// A value that can be told from what follows it.
fn quoted(text: &str) -> String {
    let is_plain =
        !text.is_empty() && !text.contains(|char: char| char.is_whitespace() || "\"=".contains(char));
    if is_plain {
        escaped(text)
    } else {
        format!("\"{}\"", escaped(&text.replace('\\', "\\\\").replace('"', "\\\"")))
    }
}

/// Text that stays on its line and does nothing to a terminal.
fn escaped(text: &str) -> String {
    let mut shown = String::new();
    for char in text.chars() {
        if is_control(char) { shown.extend(char.escape_default()) } else { shown.push(char) }
    }
    shown
}

/// Controls, ends of lines, and what turns the direction of text around.
fn is_control(char: char) -> bool {
    char.is_control()
        || matches!(char, '\u{2028}' | '\u{2029}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// As JSON escapes it; all of them lie in the first plane.
fn in_json(char: char) -> String {
    format!("\\u{:04x}", u32::from(char))
}
