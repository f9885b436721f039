//! Where models and runtimes are.

use std::{env, path::PathBuf};

/// The product's data directory: `$OCELLI_HOME`, else `$XDG_DATA_HOME/ocelli`, else `~/.local/share/ocelli`.
pub(crate) fn home() -> PathBuf {
    let set = |name: &str| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    set("OCELLI_HOME")
        .or_else(|| set("XDG_DATA_HOME").map(|data| data.join("ocelli")))
        .or_else(|| set("HOME").map(|home| home.join(".local/share/ocelli")))
        .unwrap_or_else(|| PathBuf::from("ocelli-data"))
}
