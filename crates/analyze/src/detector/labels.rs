//! Names of classes, and which of them are asked for.

use std::sync::Arc;

/// Rows that stand for no class: the numbering of COCO has holes.
const HOLE: &str = "n/a";
/// Near matches offered for a word that names no class.
const MOST_SUGGESTIONS: usize = 3;

/// Names in the order of a model's class columns.
#[derive(Clone, Debug)]
pub(crate) struct Labels {
    names: Vec<Arc<str>>,
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
        return "its classes are everyday things such as person, car, dog".to_owned();
    }
    format!("near it: {}", near.join(", "))
}

impl Labels {
    /// The 80 classes of COCO without holes.
    pub(crate) fn coco80() -> Self {
        Self::parse(include_str!("../../labels/coco80.txt"))
    }

    /// The 90 columns of models that keep COCO's own numbers; ten of them are holes.
    pub(crate) fn coco90() -> Self {
        Self::parse(include_str!("../../labels/coco90.txt"))
    }

    fn parse(text: &str) -> Self {
        Self { names: text.lines().map(Arc::from).collect() }
    }

    pub(crate) fn len(&self) -> usize {
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
            let column = self.names.iter().position(|name| **name == *lower && lower != HOLE);
            let column =
                column.ok_or_else(|| UnknownClass { word: word.clone(), near: self.near(&lower) })?;
            wanted[column] = true;
        }
        Ok(wanted)
    }

    fn near(&self, word: &str) -> Vec<String> {
        let distance = |name: &str| if name.contains(word) { 0 } else { edits(name, word) };
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
