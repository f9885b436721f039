//! The configuration shown: as it holds, and as a file of defaults.

use super::{
    Config, Schema, Sources,
    section::{Fallback, Key},
};

const HEAD: &str = "\
# Configuration of `ocelli serve`. Every key stands here with its default, or, where it has none, with an example.
# Take the # away from what you change; leave the rest, so that better defaults reach you.
";

/// What holds, as a file; secrets are left out. With `sources`, each line says where its value comes from.
pub(crate) fn effective(config: &Config, sources: Option<&Sources>) -> String {
    let mut lines = Vec::new();
    for (section, values) in config.shown() {
        // An empty line between sections.
        lines.extend((!lines.is_empty()).then(String::new));
        lines.push(format!("[{section}]"));
        for (key, value) in values {
            let source = sources.and_then(|sources| sources.get(&key.path()));
            let from = source.map_or_else(String::new, |source| format!("  # {source}"));
            lines.push(match value {
                Some(value) if !is_absent(key, &value) => format!("{} = {value}{from}", key.name),
                Some(_) => format!("# {} is not set", key.name),
                // Not as a value: whoever reads it back would get a secret of that name.
                None => format!("# {} is set and not shown{from}", key.name),
            });
        }
    }
    lines.join("\n") + "\n"
}

/// Whether this is how an optional key without a default looks when nobody gave it.
fn is_absent(key: &Key, value: &toml::Value) -> bool {
    matches!(key.fallback, Fallback::Example(_)) && value.as_str() == Some("none")
}

/// A file that changes nothing, and documents everything.
pub(crate) fn default_file() -> String {
    let mut lines: Vec<String> = HEAD.lines().map(str::to_owned).collect();
    for (section, about, keys) in Schema::new().parts {
        lines.push(String::new());
        lines.extend(comment(about));
        lines.push(format!("[{section}]"));
        for key in keys {
            lines.push(String::new());
            lines.extend(comment(key.about));
            lines.push(format!("# Environment: {}", names(key)));
            let value = match key.fallback {
                Fallback::Default(value) => value,
                Fallback::Example(value) => {
                    lines.push("# For example:".to_owned());
                    value
                }
            };
            lines.push(format!("#{} = {}", key.name, (key.from_text)(value)));
        }
    }
    lines.join("\n") + "\n"
}

/// Lines of documentation as comments.
fn comment(lines: &str) -> impl Iterator<Item = String> {
    lines.lines().map(|line| format!("# {}", line.trim_start()))
}

/// The environment's names for a key.
fn names(key: &Key) -> String {
    let own = key.environment();
    let names = std::iter::once(own.as_str()).chain(key.aliases.iter().copied());
    names.collect::<Vec<_>>().join(", ")
}
