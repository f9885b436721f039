//! Names in the environment: one for each key, short ones of ours, and those that deployments of contract 1 set.

use std::collections::BTreeMap;

use ocelli_media::libav::Acceleration;

use super::{
    Schema,
    nearest::nearest,
    origin::{Problem, Source},
    reader::{Drafts, Given},
    section::Key,
};

/// Set by existing deployments; no program of FFmpeg is run.
const UNUSED: [&str; 2] = ["FFMPEG_PATH", "FFPROBE_PATH"];
/// Lists hardware that may decode, and in existing deployments also what never can here.
const HARDWARE: &str = "HW_ACCEL_OPTIONS";

/// What the environment gives, over what is there. The second list is for the log.
pub(super) fn read(
    environment: &BTreeMap<String, String>,
    schema: &Schema,
    drafts: &mut Drafts,
) -> (Vec<Problem>, Vec<String>) {
    let mut warnings = Vec::new();
    let set = |name: &str| environment.get(name).filter(|value| !value.is_empty());
    for key in schema.keys() {
        let own = key.environment();
        let names = std::iter::once(own.as_str()).chain(key.aliases.iter().copied());
        let given: Vec<(&str, &String)> = names.filter_map(|name| Some((name, set(name)?))).collect();
        let Some(((name, text), rest)) = given.split_first() else { continue };
        for (other, _) in rest.iter().filter(|(_, other)| other != text) {
            warnings.push(format!("{name} and {other} disagree about {}; {name} holds", key.path()));
        }
        drafts.insert(key.path(), one(key, name, text, &mut warnings));
    }
    warnings.extend(UNUSED.into_iter().filter(|name| set(name).is_some()).map(|name| {
        format!("{name} is accepted and not used: video is decoded by FFmpeg's libraries, no program is run")
    }));
    let problems = strangers(environment, schema, &mut warnings);
    (problems, warnings)
}

fn one(key: &Key, name: &str, text: &str, warnings: &mut Vec<String>) -> Given {
    let mut value = (key.from_text)(text);
    if let (HARDWARE, toml::Value::Array(options)) = (name, &mut value) {
        options.retain(|option| {
            let word = option.as_str().unwrap_or_default();
            let known = word.parse::<Acceleration>().is_ok();
            if !known && word != "none" {
                warnings.push(format!("{HARDWARE}: {word:?} is ignored; known are cuda, qsv and vaapi"));
            }
            known
        });
    }
    Given { value, source: Source::Environment(name.to_owned()), lines: BTreeMap::new() }
}

/// Names that begin as ours and are not. A slip of a known name is a problem. Others are not: orchestrators set names such as
/// `OCELLI_SERVER_PORT` for a service of that name.
fn strangers(
    environment: &BTreeMap<String, String>,
    schema: &Schema,
    warnings: &mut Vec<String>,
) -> Vec<Problem> {
    let names: Vec<String> = schema.keys().map(Key::environment).collect();
    let sections: Vec<String> = schema.sections().map(|path| path.replace('.', "_").to_uppercase()).collect();
    let mut problems = Vec::new();
    for name in environment.keys() {
        let known = || {
            names.iter().map(String::as_str).chain(schema.keys().flat_map(|key| key.aliases.iter().copied()))
        };
        let Some(rest) = name.strip_prefix("OCELLI_").filter(|_| known().all(|known| known != name)) else {
            continue;
        };
        let meant = nearest(name, known());
        let ours =
            |section: &String| rest.strip_prefix(section.as_str()).is_some_and(|rest| rest.starts_with('_'));
        match meant.filter(|_| sections.iter().any(ours)) {
            Some(meant) => problems.push(Problem {
                at: Source::Environment(name.clone()),
                key: String::new(),
                says: format!("unknown name; did you mean {meant}?"),
            }),
            None if sections.iter().any(ours) => {
                warnings.push(format!("{name} is no name of a key, and is ignored"));
            }
            None => {}
        }
    }
    problems
}

/// The value of a key as `--set` and flags give it.
pub(super) fn flag(key: &Key, flag: &str, text: &str) -> Given {
    Given { value: (key.from_text)(text), source: Source::Flag(flag.to_owned()), lines: BTreeMap::new() }
}
