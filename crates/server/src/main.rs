//! The `ocelli` binary: reads the command line, builds what a command needs, maps its end to an exit code.

mod cli;
mod clock;
mod commands;
mod config;
mod ending;
mod home;
mod input;
mod logs;
mod network;
mod progress;
mod serve;
mod signals;
mod stores;

use std::process::ExitCode;

use clap::Parser as _;

use cli::{Cli, Command};
use ending::Ending;

fn main() -> ExitCode {
    // Before anything is set up: this process is to have no rights.
    if std::env::args_os().nth(1).is_some_and(|word| word == ocelli_ingest::child::WORD) {
        return ocelli_ingest::child::serve();
    }
    let cli = Cli::parse();
    // The server's logs are configured.
    if !matches!(cli.command, Command::Serve(_)) {
        logs::start_for_commands();
    }
    let ended = match &cli.command {
        Command::Extract(options) => commands::extract::extract(options),
        Command::Analyze(options) => commands::analyze::analyze(options),
        Command::Runs(options) => commands::runs::runs(options),
        Command::Results(options) => commands::results::results(options),
        Command::Ledger(options) => commands::ledger::ledger(options),
        Command::Store(options) => commands::store::store(options),
        Command::Archive(options) => commands::archive::archive(options),
        Command::Serve(options) => commands::serve::serve(options),
        Command::Config(options) => commands::config::config(options),
        Command::Health(options) => commands::health::health(options),
        Command::Token(options) => commands::token::token(options),
        Command::Models(options) => commands::models::models(options),
        Command::Doctor(options) => commands::doctor::doctor(options),
    };
    ended.unwrap_or_else(|error| Ending::of(&error)).report()
}
