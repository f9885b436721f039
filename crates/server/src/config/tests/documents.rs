//! What is shipped says what holds. `OCELLI_WRITE_DOCUMENTS=1 cargo test -p ocelli-server documents` writes it anew.

use std::path::{Path, PathBuf};

use super::{
    super::{
        Schema, default_file, effective,
        section::{Fallback, Section as _, within},
        sections::Frames,
    },
    Config, Given, given, good,
};

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Fails where a file is not what is expected, or writes it.
#[track_caller]
fn drift(path: &str, expected: &str) {
    let file = repository().join(path);
    if std::env::var_os("OCELLI_WRITE_DOCUMENTS").is_some() {
        std::fs::write(&file, expected).unwrap();
    }
    let found = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(
        found == expected,
        "{path} is out of date; run OCELLI_WRITE_DOCUMENTS=1 cargo test -p ocelli-server documents"
    );
}

/// The table of all keys, in Markdown.
fn table() -> String {
    let line = |text: &str| text.lines().map(str::trim).collect::<Vec<_>>().join(" ");
    let mut lines = Vec::new();
    for (section, about, keys) in Schema::new().parts {
        lines.extend([format!("### `[{section}]`"), String::new(), line(about), String::new()]);
        lines.extend(["| key | default | what it is |", "|---|---|---|"].map(str::to_owned));
        for key in keys {
            let default = match key.fallback {
                Fallback::Default(value) => format!("`{}`", (key.from_text)(value)),
                Fallback::Example(_) => "not set".to_owned(),
            };
            let range = key.range.map_or_else(String::new, |(low, high)| format!(" {low} to {high}."));
            let also = key.aliases.join("`, `");
            let also = if also.is_empty() { also } else { format!(" In the environment also `{also}`.") };
            lines.push(format!("| `{}` | {default} | {}{range}{also} |", key.name, line(key.about)));
        }
        lines.push(String::new());
    }
    lines.join("\n") + "\n"
}

#[test]
fn the_guide_has_the_table() {
    const PATH: &str = "docs/guide/operation.md";
    let (begin, end) = ("<!-- keys: written by a test -->\n", "<!-- end of keys -->\n");
    let guide = std::fs::read_to_string(repository().join(PATH)).unwrap();
    let (before, rest) = guide.split_once(begin).expect("where the table begins");
    let (_, after) = rest.split_once(end).expect("where it ends");
    drift(PATH, &format!("{before}{begin}\n{}{end}{after}", table()));
}

#[test]
fn the_default_file_is_shipped() {
    drift("deploy/ocelli.toml", &default_file());
}

#[test]
fn the_default_file_changes_nothing_with_or_without_its_marks() {
    let file = default_file();
    let untouched = good(&given("", &[], &[])).config;
    assert_eq!(good(&given(&file, &[], &[])).config, untouched);
    let mut lines = Vec::new();
    let mut is_example = false;
    for line in file.lines() {
        let value = line.strip_prefix('#').filter(|rest| rest.contains(" = ") && !rest.starts_with(' '));
        lines.push(value.filter(|_| !is_example).unwrap_or(line));
        is_example = line == "# For example:";
    }
    let set = good(&given(&lines.join("\n"), &[], &[]));
    assert_eq!(set.config, untouched);
    let given = set.sources.values().filter(|source| source.to_string().starts_with("a.toml")).count();
    assert!(given > 30, "only {given} lines were values");
}

#[test]
fn examples_and_ranges_are_good() {
    let schema = Schema::new();
    for key in schema.keys() {
        assert!(key.about.trim().ends_with('.'), "{}: {}", key.path(), key.about);
        let texts = match key.fallback {
            Fallback::Default(text) | Fallback::Example(text) => {
                [Some(text), key.range.map(|range| range.0), key.range.map(|range| range.1)]
            }
        };
        for text in texts.into_iter().flatten() {
            let set = format!("{}={text}", key.path());
            let lines =
                Config::of(&given("", &[], &[&set])).map_or_else(|error| error.lines(), |_| Vec::new());
            let own: Vec<_> =
                lines.iter().filter(|line| line.contains("expected") || line.contains("range")).collect();
            assert!(own.is_empty(), "{set}: {own:?}");
        }
    }
    let quality = Frames::KEYS.iter().find(|key| key.name == "quality").and_then(|key| key.range).unwrap();
    assert!(within(&1_u8, quality) && within(&100_u8, quality) && !within(&0_u8, quality));
}

#[test]
fn what_is_shown_can_be_read_back() {
    let file = "[frames]\nkeep_age = '36 h'\n[media]\nfolders = ['a', '/b']\n[[access.anonymous]]\ncontract = 'native'\nnetworks = ['::/0']\nrole = 'viewer'";
    let config = good(&given(file, &[], &[])).config;
    let shown = effective(&config, None);
    let elsewhere = Given { home: "/other".into(), ..given(&shown, &[], &[]) };
    assert_eq!(good(&elsewhere).config, config, "{shown}");
}
