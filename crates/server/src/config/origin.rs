//! Where a value comes from, and what is wrong with one.

use std::{
    fmt,
    path::{Path, PathBuf},
};

/// Where a value comes from, from the weakest to the strongest.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Source {
    /// Nobody said anything.
    Default,
    /// A configuration file, and the line in it, from 1.
    File(PathBuf, usize),
    /// A name in the environment.
    Environment(String),
    /// The command line, as written there up to the value.
    Flag(String),
}

impl Source {
    /// Where relative paths begin: those of files and defaults in the data directory, those of a shell where it is.
    pub(crate) fn base<'a>(&self, home: &'a Path, here: &'a Path) -> &'a Path {
        match self {
            Self::Default | Self::File(..) => home,
            Self::Environment(_) | Self::Flag(_) => here,
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File(path, line) => write!(f, "{}:{line}", path.display()),
            Self::Environment(name) => f.write_str(name),
            Self::Flag(flag) => f.write_str(flag),
        }
    }
}

/// One thing wrong with the configuration.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Problem {
    /// Where it was said.
    pub(crate) at: Source,
    /// The key, or the part of it; empty where no key is meant.
    pub(crate) key: String,
    /// What is wrong, and what to do.
    pub(crate) says: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.at != Source::Default {
            write!(f, "{}: ", self.at)?;
        }
        if !self.key.is_empty() {
            write!(f, "{}: ", self.key)?;
        }
        f.write_str(&self.says)
    }
}

/// Everything that is wrong with the configuration; never empty.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("the configuration cannot be used: {}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
pub(crate) struct ConfigError(pub(crate) Vec<Problem>);

impl ConfigError {
    /// One line for each problem.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.0.iter().map(ToString::to_string).collect()
    }
}
