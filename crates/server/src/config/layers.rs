//! The layers, put over one another and read.

use std::{
    collections::BTreeMap,
    env,
    ffi::OsStr,
    fs::File,
    io::{ErrorKind, Read as _},
    path::{Path, PathBuf},
};

use toml::Value;

use super::{
    Config, ConfigError, ConfigFlags, Given, Loaded, Schema, check, document, environment,
    nearest::did_you_mean,
    origin::{Problem, Source},
    reader::{Drafts, Reader},
    setting::Setting as _,
};

/// Names the configuration file.
const CONFIG: &str = "OCELLI_CONFIG";
/// Of the machine.
const SYSTEM_FILE: &str = "/etc/ocelli/ocelli.toml";
/// In the data directory.
const FILE: &str = "ocelli.toml";
/// A longer file is something else.
const MOST_FILE_BYTES: u64 = 1 << 20;
/// More problems than anybody reads.
const MOST_PROBLEMS: usize = 100;

/// What this process was given.
pub(super) fn of_process(flags: &ConfigFlags, home: PathBuf) -> Result<Given, ConfigError> {
    let mut problems = Vec::new();
    let environment = words(&mut problems);
    let named = environment.get(CONFIG).filter(|path| !path.is_empty()).map(PathBuf::from);
    let home = flags.home.clone().unwrap_or(home);
    let (paths, must_be_there) = match flags.config.clone().or(named) {
        Some(path) => (vec![path], true),
        None => (vec![PathBuf::from(SYSTEM_FILE), home.join(FILE)], false),
    };
    let mut files = Vec::new();
    for path in paths {
        match read_file(&path) {
            Ok(text) => files.push((path, text)),
            Err(error) if error.kind() == ErrorKind::NotFound && !must_be_there => {}
            Err(error) => {
                problems.push(plain(format!("cannot read the configuration {}: {error}", path.display())));
            }
        }
    }
    let here = env::current_dir().unwrap_or_default();
    let given = Given { files, environment, flags: flags.clone(), home: here.join(home), here };
    if problems.is_empty() { Ok(given) } else { Err(ConfigError(problems)) }
}

/// The text of a file, if it is one of sensible length.
pub(crate) fn read_file(path: &Path) -> std::io::Result<String> {
    let mut text = String::new();
    File::open(path)?.take(MOST_FILE_BYTES + 1).read_to_string(&mut text)?;
    if text.len() as u64 > MOST_FILE_BYTES {
        let says = format!("it is longer than {MOST_FILE_BYTES} bytes");
        return Err(std::io::Error::new(ErrorKind::InvalidData, says));
    }
    Ok(text)
}

/// The environment. Names that are not text cannot be ours.
fn words(problems: &mut Vec<Problem>) -> BTreeMap<String, String> {
    let mut words = BTreeMap::new();
    let named = |name: &OsStr| name.to_str().map(str::to_owned);
    for (name, value) in env::vars_os().filter_map(|(name, value)| Some((named(&name)?, value))) {
        match value.into_string() {
            Ok(value) => drop(words.insert(name, value)),
            Err(_bytes) if name.starts_with("OCELLI_") => {
                let at = Source::Environment(name);
                problems.push(Problem { at, key: String::new(), says: "the value is not UTF-8".to_owned() });
            }
            Err(_bytes) => {}
        }
    }
    words
}

fn plain(says: String) -> Problem {
    Problem { at: Source::Default, key: String::new(), says }
}

impl Config {
    /// Reads it from its layers.
    pub(crate) fn of(given: &Given) -> Result<Loaded, ConfigError> {
        let schema = Schema::new();
        let mut drafts = Drafts::new();
        let mut problems = Vec::new();
        for (path, text) in &given.files {
            problems.extend(document::read(path, text, &schema, &mut drafts));
        }
        let (found, mut warnings) = environment::read(&given.environment, &schema, &mut drafts);
        problems.extend(found);
        problems.extend(from_flags(&given.flags, &schema, &mut drafts));
        let home = data_directory(given, &mut drafts);
        let mut reader = Reader::new(&drafts, &home, &given.here);
        let mut config = Self::read(&mut reader);
        if config.server.home.as_os_str().is_empty() {
            config.server.home.clone_from(&home);
        }
        check::whole(&config, &mut reader, &mut warnings);
        problems.append(&mut reader.problems);
        if problems.is_empty() {
            return Ok(Loaded { config, sources: reader.sources, warnings });
        }
        problems.sort();
        problems.dedup();
        let more = problems.len().saturating_sub(MOST_PROBLEMS);
        problems.truncate(MOST_PROBLEMS);
        problems.extend((more > 0).then(|| plain(format!("and {more} more problems"))));
        Err(ConfigError(problems))
    }
}

/// Where relative paths begin. As a whole path it goes back to the drafts: it is not to be taken from itself.
fn data_directory(given: &Given, drafts: &mut Drafts) -> PathBuf {
    let Some(draft) = drafts.get_mut("server.home") else { return given.home.clone() };
    match PathBuf::read(&draft.value, draft.source.base(&given.home, &given.here)) {
        Ok(home) => {
            draft.value = Value::String(home.display().to_string());
            home
        }
        Err(_told_later) => given.home.clone(),
    }
}

fn from_flags(flags: &ConfigFlags, schema: &Schema, drafts: &mut Drafts) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut put = |flag: String, path: &str, text: &str| {
        if let Some(key) = schema.key(path) {
            drafts.insert(path.to_owned(), environment::flag(key, &flag, text));
        } else {
            let says = format!("unknown key{}", did_you_mean(path, schema.paths()));
            problems.push(Problem { at: Source::Flag(flag), key: String::new(), says });
        }
    };
    for pair in &flags.set {
        match pair.split_once('=') {
            Some((path, text)) => put(format!("--set {path:.80}"), path, text),
            None => put(format!("--set {pair:.80}"), pair, ""),
        }
    }
    if !flags.listen.is_empty() {
        put("--listen".to_owned(), "server.listen", &flags.listen.join(","));
    }
    if let Some(home) = &flags.home {
        // What is no text is not a path of any file either; an empty one is refused.
        put("--home".to_owned(), "server.home", home.to_str().unwrap_or_default());
    }
    problems
}
