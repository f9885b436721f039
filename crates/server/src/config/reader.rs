//! Layers of given values, and the reading of typed ones from them.

use std::{collections::BTreeMap, path::Path};

use toml::Value;

use super::{
    origin::{Problem, Source},
    section::{Fallback, Key, within},
    setting::{Fault, Setting},
};

/// A value as somebody gave it.
#[derive(Clone, Debug)]
pub(crate) struct Given {
    pub(crate) value: Value,
    pub(crate) source: Source,
    /// Lines of the value's parts in its file, by their place below the key: `.0.role`.
    pub(crate) lines: BTreeMap<String, usize>,
}

/// What was given, by key. What is put in later replaces what came before.
pub(crate) type Drafts = BTreeMap<String, Given>;

/// Where the value of each key came from.
pub(crate) type Sources = BTreeMap<String, Source>;

/// Hands each key its value, and notes what is wrong.
#[derive(Debug)]
pub(crate) struct Reader<'a> {
    drafts: &'a Drafts,
    /// Where relative paths of files and defaults begin.
    home: &'a Path,
    /// Where those of the environment and the command line do.
    here: &'a Path,
    pub(crate) problems: Vec<Problem>,
    pub(crate) sources: Sources,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(drafts: &'a Drafts, home: &'a Path, here: &'a Path) -> Self {
        Self { drafts, home, here, problems: Vec::new(), sources: Sources::new() }
    }

    /// The value of a key, or its default. A wrong one is noted, and something else of its kind stands in.
    pub(crate) fn read<K: Setting>(&mut self, key: &Key) -> K {
        let path = key.path();
        let Some(given) = self.drafts.get(&path) else {
            self.sources.insert(path, Source::Default);
            let Fallback::Default(text) = key.fallback else { return K::default() };
            return K::read(&K::from_text(text), self.home).unwrap_or_default();
        };
        self.sources.insert(path.clone(), given.source.clone());
        match K::read(&given.value, given.source.base(self.home, self.here)) {
            Ok(value) => {
                self.hold(key, &value, given);
                value
            }
            Err(faults) => {
                self.problems.extend(faults.into_iter().map(|fault| problem(&path, given, fault)));
                K::default()
            }
        }
    }

    /// Notes a value out of its range.
    fn hold<K: Setting>(&mut self, key: &Key, value: &K, given: &Given) {
        let Some((low, high)) = key.range.filter(|range| !within(value, *range)) else { return };
        let shown = value.shown().map_or_else(String::new, |value| value.to_string());
        let says = format!("{shown} is out of range; give {low} to {high}");
        self.problems.push(problem(&key.path(), given, Fault { at: String::new(), says }));
    }

    /// Notes that keys do not go together.
    pub(crate) fn object(&mut self, key: &str, says: impl Into<String>) {
        let at = self.sources.get(key).cloned().unwrap_or(Source::Default);
        self.problems.push(Problem { at, key: key.to_owned(), says: says.into() });
    }

    /// Whether all that was read of a section is sound, so that its keys can be compared.
    pub(crate) fn is_sound(&self, section: &str) -> bool {
        let of = |key: &str| key.strip_prefix(section).is_some_and(|rest| rest.starts_with('.'));
        !self.problems.iter().any(|problem| of(&problem.key))
    }
}

/// A fault, at the line of the part that it is about.
fn problem(path: &str, given: &Given, fault: Fault) -> Problem {
    let at = match &given.source {
        Source::File(file, line) => {
            // A missing part has no line: its whole has.
            let mut part = fault.at.as_str();
            let mut found = given.lines.get(part);
            while let (None, Some((whole, _))) = (found, part.rsplit_once('.')) {
                part = whole;
                found = given.lines.get(part);
            }
            Source::File(file.clone(), found.copied().unwrap_or(*line))
        }
        other => other.clone(),
    };
    Problem { at, key: format!("{path}{}", fault.at), says: fault.says }
}
