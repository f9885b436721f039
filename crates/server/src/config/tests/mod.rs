//! The configuration from its layers.

mod documents;
mod environment;
mod files;
mod together;

use std::{collections::BTreeMap, path::PathBuf};

use super::{Config, ConfigFlags, Given, Loaded};

/// Layers with one file, `a.toml`, of this text.
fn given(file: &str, environment: &[(&str, &str)], set: &[&str]) -> Given {
    Given {
        files: vec![(PathBuf::from("a.toml"), file.to_owned())],
        environment: pairs(environment),
        flags: ConfigFlags {
            set: set.iter().map(|&word| word.to_owned()).collect(),
            ..ConfigFlags::default()
        },
        home: PathBuf::from("/data"),
        here: PathBuf::from("/here"),
    }
}

fn pairs(environment: &[(&str, &str)]) -> BTreeMap<String, String> {
    environment.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect()
}

#[track_caller]
fn good(given: &Given) -> Loaded {
    Config::of(given).unwrap_or_else(|error| panic!("{:#?}", error.lines()))
}

/// Each problem, in order, holds the words at its place, and there are no others.
#[track_caller]
fn bad(given: &Given, expected: &[&str]) {
    let lines = Config::of(given).map(|loaded| panic!("taken: {loaded:#?}")).unwrap_err().lines();
    assert_eq!(lines.len(), expected.len(), "{lines:#?}");
    for (line, words) in lines.iter().zip(expected) {
        for word in words.split(" … ") {
            assert!(line.contains(word), "{word:?} in {line:?}");
        }
    }
}
