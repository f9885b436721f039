//! Commands around a running server.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::config::ConfigFlags;

const SERVE_EXAMPLES: &str = "\
Examples:
  On this machine only, with what `ocelli config show` says:
    ocelli serve
  A stream of a camera, one frame a second, as JPEG files and with the default model:
    curl -X POST localhost:8002/api/v1/streams -H 'content-type: application/json' \\
      -d '{\"id\": \"door\", \"source\": {\"url\": \"rtsp://user:password@camera/stream\"}, \"fps\": \"1\", \"frames\": {}, \"models\": [{}]}'
  For other machines; who may come in is said first:
    ocelli token create --name dashboard --role viewer
    ocelli serve --listen 0.0.0.0:8002

The interface describes itself at /api/docs. Streams are kept: they go on after a restart. The first Ctrl-C ends them in order, the second at once.";

#[derive(Debug, Args)]
#[command(after_help = SERVE_EXAMPLES)]
pub(crate) struct Serve {
    #[command(flatten)]
    pub(crate) config: ConfigFlags,
}

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

const HEALTH_EXAMPLES: &str = "\
Examples:
  The server of this machine or container, by the configuration that it has:
    ocelli health
  Another one:
    ocelli health http://10.0.0.7:8002/healthz

Exit codes: 0 well; 1 not well, or not there; 2 the URL or the configuration cannot be used.";

#[derive(Debug, Args)]
#[command(after_help = HEALTH_EXAMPLES)]
pub(crate) struct Health {
    /// What to ask, over plain HTTP [default: /healthz at the first address that the configuration names, over TLS where
    /// it says so]
    pub(crate) url: Option<String>,
}

const ARCHIVE_EXAMPLES: &str = "\
Examples:
  Does the index of recordings fit the media? Reads all of it; exit code 0 only if so:
    ocelli archive check
  The same, and put right what does not fit; what is missing becomes a gap that is told:
    ocelli archive check --mend

The server must not be running: recordings, as results, are written by one process at a time. A segment that was open when a server was killed is made whole first.";

#[derive(Debug, Args)]
#[command(after_help = ARCHIVE_EXAMPLES)]
pub(crate) struct Archive {
    #[command(subcommand)]
    pub(crate) command: ArchiveCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ArchiveCommand {
    /// Hold the index of recordings and the media against each other
    Check(CheckArchive),
}

#[derive(Debug, Args)]
pub(crate) struct CheckArchive {
    #[command(flatten)]
    pub(crate) config: ConfigFlags,
    /// Put right what does not fit
    #[arg(long)]
    pub(crate) mend: bool,
}
