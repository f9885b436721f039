//! Names of classes, and which of them are asked for.

use std::{collections::BTreeSet, sync::Arc};

/// Rows that stand for no class: the numbering of COCO has holes.
const HOLE: &str = "n/a";
/// Near matches offered for a word that names no class.
const MOST_SUGGESTIONS: usize = 3;

/// Most classes of a model.
const MOST_LABELS: usize = 4096;
/// Longest name of a class.
const LONGEST_BYTES: usize = 100;
/// Larger files are no label lists.
pub const MOST_LABEL_FILE_BYTES: u64 = (MOST_LABELS * (LONGEST_BYTES + 2)) as u64;

/// Names in the order of a model's class columns. `n/a` stands for a column without a class.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Labels {
    names: Vec<Arc<str>>,
}

/// Why a text is no list of labels. Lines count from 1.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum LabelsError {
    /// Not text.
    #[error("the list of labels is not UTF-8 text")]
    NotText,
    /// No class at all.
    #[error("the list of labels names no class")]
    Empty,
    /// Too long a list.
    #[error("the list of labels has more than {MOST_LABELS} lines")]
    Many,
    /// A line without a name.
    #[error("line {0} of the labels is empty; write n/a for a column without a class")]
    Blank(usize),
    /// A name that is no name.
    #[error("line {0} of the labels is longer than {LONGEST_BYTES} bytes, or has control characters in it")]
    Name(usize),
    /// Two columns of one name could not be told apart.
    #[error("line {line} of the labels repeats {name:?}")]
    Repeated {
        /// The second of them.
        line: usize,
        /// The name.
        name: String,
    },
}

/// A word that names no class of the model.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("the model knows no class {word:?}; {}", hint(near))]
pub struct UnknownClass {
    /// As given.
    pub word: String,
    /// Classes with similar names, nearest first.
    pub near: Vec<String>,
}

fn hint(near: &[String]) -> String {
    if near.is_empty() {
        return "`ocelli models list` shows what it is for".to_owned();
    }
    format!("near it: {}", near.join(", "))
}

impl Labels {
    /// The 80 classes of COCO without holes.
    pub(crate) fn coco80() -> Self {
        Self::built_in(include_str!("../../labels/coco80.txt"))
    }

    /// The 90 columns of models that keep COCO's own numbers; ten of them are holes.
    pub(crate) fn coco90() -> Self {
        Self::built_in(include_str!("../../labels/coco90.txt"))
    }

    fn built_in(text: &str) -> Self {
        Self { names: text.lines().map(Arc::from).collect() }
    }

    /// From a file with one name on each line. White space around names does not count, nor does a byte order mark.
    pub fn parse(bytes: &[u8]) -> Result<Self, LabelsError> {
        let text = str::from_utf8(bytes).map_err(|_error| LabelsError::NotText)?;
        Self::new(text.trim_start_matches('\u{feff}').lines())
    }

    /// From names in the order of the columns. Names that differ only in case are the same.
    pub fn new<'a>(names: impl IntoIterator<Item = &'a str>) -> Result<Self, LabelsError> {
        let (mut kept, mut seen) = (Vec::new(), BTreeSet::new());
        for (at, name) in names.into_iter().enumerate() {
            let (line, name) = (at + 1, name.trim());
            if line > MOST_LABELS {
                return Err(LabelsError::Many);
            }
            if name.is_empty() {
                return Err(LabelsError::Blank(line));
            }
            if name.len() > LONGEST_BYTES || name.chars().any(char::is_control) {
                return Err(LabelsError::Name(line));
            }
            if name != HOLE && !seen.insert(name.to_lowercase()) {
                return Err(LabelsError::Repeated { line, name: name.to_owned() });
            }
            kept.push(Arc::from(name));
        }
        if seen.is_empty() { Err(LabelsError::Empty) } else { Ok(Self { names: kept }) }
    }

    /// Every column's name, holes included.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(|name| &**name)
    }

    /// Every class's name.
    pub fn classes(&self) -> impl Iterator<Item = &str> {
        self.names().filter(|name| *name != HOLE)
    }

    /// Columns, holes included.
    #[expect(clippy::len_without_is_empty, reason = "there is always a class")]
    pub fn len(&self) -> usize {
        self.names.len()
    }

    pub(crate) fn name(&self, class: u16) -> Arc<str> {
        Arc::clone(&self.names[usize::from(class)])
    }

    /// Marks the wanted columns; all but the holes where `classes` is `None`. Upper and lower case are equal.
    pub(crate) fn wanted(&self, classes: Option<&[String]>) -> Result<Vec<bool>, UnknownClass> {
        let Some(classes) = classes else {
            return Ok(self.names.iter().map(|name| &**name != HOLE).collect());
        };
        let mut wanted = vec![false; self.len()];
        for word in classes {
            let lower = word.trim().to_lowercase();
            let column = self.names.iter().position(|name| name.to_lowercase() == lower && lower != HOLE);
            let column =
                column.ok_or_else(|| UnknownClass { word: word.clone(), near: self.near(&lower) })?;
            wanted[column] = true;
        }
        Ok(wanted)
    }

    fn near(&self, word: &str) -> Vec<String> {
        let distance = |name: &str| {
            let name = name.to_lowercase();
            if name.contains(word) { 0 } else { edits(&name, word) }
        };
        let allowed = 1 + word.chars().count() / 4;
        let names = self.names.iter().filter(|name| &***name != HOLE && !word.is_empty());
        let mut near: Vec<_> = names.map(|name| (distance(name), name)).collect();
        near.retain(|(distance, _)| *distance <= allowed);
        near.sort();
        near.into_iter().take(MOST_SUGGESTIONS).map(|(_, name)| name.to_string()).collect()
    }
}

/// Levenshtein distance: single letters inserted, removed or replaced.
fn edits(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, letter) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, other) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(letter != *other);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}
