//! Commands around a running server.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::config::ConfigFlags;

const CONFIG_EXAMPLES: &str = "\
Examples:
  What holds here, and where each value comes from:
    ocelli config show --sources
  A file of all keys with their meaning and defaults, to begin with:
    ocelli config show --default > ocelli.toml
  Is a file good? Every problem is listed, with its line; exit code 0 only if there is none:
    ocelli config check ocelli.toml

Values come from defaults, then files (--config FILE, else $OCELLI_CONFIG, else /etc/ocelli/ocelli.toml and then ocelli.toml in the data directory), then the environment, then the command line; the later one holds. In the environment, server.listen is OCELLI_SERVER_LISTEN, and so on for every key.";

#[derive(Debug, Args)]
#[command(after_help = CONFIG_EXAMPLES)]
pub(crate) struct Config {
    #[command(subcommand)]
    pub(crate) command: ConfigCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Print the configuration that holds, as a file; secrets are left out
    Show(ShowConfig),
    /// Say everything that is wrong with a configuration
    Check(CheckConfig),
}

#[derive(Debug, Args)]
pub(crate) struct ShowConfig {
    #[command(flatten)]
    pub(crate) flags: ConfigFlags,
    /// Say where each value comes from
    #[arg(long)]
    pub(crate) sources: bool,
    /// Print a file of all keys with their meaning and defaults instead
    #[arg(long, conflicts_with_all = ["sources", "config", "listen", "home", "set"])]
    pub(crate) default: bool,
}

#[derive(Debug, Args)]
pub(crate) struct CheckConfig {
    /// The file, by itself [default: what `ocelli config show` would show]
    pub(crate) file: Option<PathBuf>,
}
