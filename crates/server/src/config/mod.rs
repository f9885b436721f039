//! The configuration of the server: defaults, then files, then the environment, then the command line.
//!
//! What it says is typed and checked as a whole: every problem is told at once, each with its place. The crates have
//! options of their own; the composition root makes them of this.

pub(crate) mod access;
pub(crate) mod anonymous;
mod check;
mod document;
mod environment;
mod layers;
mod nearest;
pub(crate) mod origin;
mod reader;
mod section;
mod sections;
mod setting;
mod show;
pub(crate) mod units;
pub(crate) mod words;

use std::{collections::BTreeMap, path::PathBuf};

use clap::Args;

pub(crate) use self::{
    layers::read_file,
    origin::{ConfigError, Source},
    reader::Sources,
    sections::{
        Access, Analyzer, Archive, Cors, Engine, Frames, HardwareDecoding, Jwt, Limits, Log, Media, Outgoing,
        Rtmp, Server, Store, Tls,
    },
    show::{default_file, effective},
};
use self::{
    reader::Reader,
    section::{Key, Section},
};
use crate::home::home;

/// Where the configuration comes from, for commands that take one.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct ConfigFlags {
    /// Configuration file [default: `$OCELLI_CONFIG`, else /etc/ocelli/ocelli.toml and ocelli.toml in the data directory,
    /// where they are]
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Address to listen on, with its port; may be given again
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) listen: Vec<String>,
    /// Data directory: models, runtimes, store, frames [default: `$OCELLI_HOME`]
    #[arg(long, value_name = "DIR")]
    pub(crate) home: Option<PathBuf>,
    /// Any key of the configuration, such as `--set frames.quality=85`; may be given again
    #[arg(long, value_name = "KEY=VALUE")]
    pub(crate) set: Vec<String>,
}

/// A configuration and how it came about.
#[derive(Debug)]
pub(crate) struct Loaded {
    /// What holds.
    pub(crate) config: Config,
    /// Where each key's value comes from.
    pub(crate) sources: Sources,
    /// For the log at start: one line each.
    pub(crate) warnings: Vec<String>,
}

/// Everything that a configuration is made of, outside the values of its files.
#[derive(Debug, Default)]
pub(crate) struct Given {
    /// Files with their texts, the weakest first.
    pub(crate) files: Vec<(PathBuf, String)>,
    /// Names and values.
    pub(crate) environment: BTreeMap<String, String>,
    /// The command line.
    pub(crate) flags: ConfigFlags,
    /// The data directory unless told.
    pub(crate) home: PathBuf,
    /// The working directory.
    pub(crate) here: PathBuf,
}

/// The sections, in the order of the documents.
macro_rules! config {
    ($($(#[doc = $doc:literal])+ $field:ident: $kind:ty,)+) => {
        /// The configuration of a server.
        #[derive(Clone, Debug, PartialEq)]
        pub(crate) struct Config { $($(#[doc = $doc])+ pub(crate) $field: $kind,)+ }

        impl Config {
            fn read(reader: &mut Reader<'_>) -> Self {
                Self { $($field: Section::read(reader),)+ }
            }

            /// Each section with the values of its keys.
            fn shown(&self) -> Vec<(&'static str, Vec<(&'static Key, Option<toml::Value>)>)> {
                vec![$((<$kind as Section>::PATH, self.$field.shown()),)+]
            }
        }

        impl Schema {
            fn new() -> Self {
                let parts = vec![$((<$kind as Section>::PATH, <$kind as Section>::ABOUT, <$kind as Section>::KEYS),)+];
                let paths = parts.iter().flat_map(|(_, _, keys)| keys.iter().map(Key::path)).collect();
                Self { parts, paths }
            }
        }
    };
}

config! {
    /// `[server]`
    server: Server,
    /// `[server.tls]`
    tls: Tls,
    /// `[server.limits]`
    limits: Limits,
    /// `[cors]`
    cors: Cors,
    /// `[access]`
    access: Access,
    /// `[access.jwt]`
    jwt: Jwt,
    /// `[media]`
    media: Media,
    /// `[frames]`
    frames: Frames,
    /// `[network]`
    network: Outgoing,
    /// `[hardware]`
    hardware: HardwareDecoding,
    /// `[store]`
    store: Store,
    /// `[archive]`
    archive: Archive,
    /// `[rtmp]`
    rtmp: Rtmp,
    /// `[engine]`
    engine: Engine,
    /// `[analyzer]`
    analyzer: Analyzer,
    /// `[log]`
    log: Log,
}

/// All sections and keys that there are.
struct Schema {
    /// Path, meaning, keys.
    parts: Vec<(&'static str, &'static str, &'static [Key])>,
    /// Of all keys.
    paths: Vec<String>,
}

impl Schema {
    fn keys(&self) -> impl Iterator<Item = &'static Key> + Clone + use<'_> {
        self.parts.iter().flat_map(|(_, _, keys)| keys.iter())
    }

    fn key(&self, path: &str) -> Option<&'static Key> {
        self.keys().find(|key| key.path() == path)
    }

    fn paths(&self) -> impl Iterator<Item = &str> {
        self.paths.iter().map(String::as_str)
    }

    fn sections(&self) -> impl Iterator<Item = &'static str> + use<'_> {
        self.parts.iter().map(|(path, ..)| *path)
    }
}

impl Config {
    /// Reads files, environment and command line of this process.
    pub(crate) fn load(flags: &ConfigFlags) -> Result<Loaded, ConfigError> {
        layers::of_process(flags, home()).and_then(|given| Self::of(&given))
    }
}

#[cfg(test)]
mod tests;
