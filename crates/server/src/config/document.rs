//! A configuration file: its keys with their lines.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use serde::Deserialize as _;
use toml::{
    Spanned, Value,
    de::{DeTable, DeValue, ValueDeserializer},
};

use super::{
    Schema,
    nearest::did_you_mean,
    origin::{Problem, Source},
    reader::{Drafts, Given},
};

/// Reads the text of the file `path`, and puts what it gives over what is there.
pub(super) fn read(path: &Path, text: &str, schema: &Schema, drafts: &mut Drafts) -> Vec<Problem> {
    let (table, errors) = DeTable::parse_recoverable(text);
    let mut walk = Walk { path: path.to_owned(), ends: ends(text), schema, drafts, problems: Vec::new() };
    for error in errors {
        let start = error.span().map_or(0, |span| span.start);
        walk.note(start, "", error.message().trim().replace('\n', ", "));
    }
    // What could not be read is missing, and whatever depends on it would be blamed.
    if walk.problems.is_empty() {
        walk.table(table.get_ref(), "");
    }
    walk.problems
}

struct Walk<'a> {
    path: PathBuf,
    /// Where each line ends.
    ends: Vec<usize>,
    schema: &'a Schema,
    drafts: &'a mut Drafts,
    problems: Vec<Problem>,
}

impl Walk<'_> {
    fn table(&mut self, table: &DeTable<'_>, section: &str) {
        for (name, value) in table {
            let dot = if section.is_empty() { "" } else { "." };
            let path = format!("{section}{dot}{}", name.get_ref());
            let start = name.span().start;
            // A quoted name may hold points of its own.
            let plain = !name.get_ref().contains('.');
            if plain && self.schema.key(&path).is_some() {
                self.key(path, start, value);
            } else if plain && self.schema.sections().any(|section| section == path) {
                match value.get_ref() {
                    DeValue::Table(table) => self.table(table, &path),
                    _ => self.note(
                        start,
                        &path,
                        format!("this is a section; write [{path}] and its keys below"),
                    ),
                }
            } else {
                let is_table = matches!(value.get_ref(), DeValue::Table(_));
                let (what, known) = if is_table {
                    ("unknown section", did_you_mean(&path, self.schema.sections()))
                } else {
                    ("unknown key", did_you_mean(&path, self.schema.paths()))
                };
                self.note(start, &path, format!("{what}{known}"));
            }
        }
    }

    fn key(&mut self, path: String, start: usize, value: &Spanned<DeValue<'_>>) {
        let mut lines = BTreeMap::new();
        self.lines(value, String::new(), &mut lines);
        match Value::deserialize(ValueDeserializer::from(value.clone())) {
            Ok(value) => {
                let source = Source::File(self.path.clone(), self.line(start));
                self.drafts.insert(path, Given { value, source, lines });
            }
            Err(error) => self.note(start, &path, error.message().to_owned()),
        }
    }

    /// The line of each part of a value.
    fn lines(&self, value: &Spanned<DeValue<'_>>, at: String, lines: &mut BTreeMap<String, usize>) {
        match value.get_ref() {
            DeValue::Array(entries) => {
                for (index, entry) in entries.iter().enumerate() {
                    self.lines(entry, format!("{at}.{index}"), lines);
                }
            }
            DeValue::Table(table) => {
                for (name, value) in table {
                    let part = format!("{at}.{}", name.get_ref());
                    self.lines(value, part.clone(), lines);
                    lines.insert(part, self.line(name.span().start));
                }
            }
            _ => {}
        }
        lines.entry(at).or_insert_with(|| self.line(value.span().start));
    }

    fn line(&self, start: usize) -> usize {
        1 + self.ends.partition_point(|end| *end < start)
    }

    fn note(&mut self, start: usize, key: &str, says: String) {
        let at = Source::File(self.path.clone(), self.line(start));
        self.problems.push(Problem { at, key: printable(key), says });
    }
}

fn ends(text: &str) -> Vec<usize> {
    text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at).collect()
}

/// Names come from the file, and reach a terminal.
fn printable(name: &str) -> String {
    let mut shown: String = name.chars().flat_map(char::escape_debug).take(100).collect();
    if shown.len() < name.len() {
        shown.push('…');
    }
    shown
}
