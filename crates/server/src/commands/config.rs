//! `ocelli config`: what holds, and whether it can.

use std::{io::Write as _, path::PathBuf};

use anyhow::{Context as _, Result};

use crate::{
    cli::{CheckConfig, Config as Options, ConfigCommand, ShowConfig},
    config::{Config, ConfigError, ConfigFlags, Given, Loaded, default_file, effective, read_file},
    ending::Ending,
    home::home,
};

pub(crate) fn config(options: &Options) -> Result<Ending> {
    match &options.command {
        ConfigCommand::Show(options) => show(options),
        ConfigCommand::Check(options) => check(options),
    }
}

fn show(options: &ShowConfig) -> Result<Ending> {
    let mut out = std::io::stdout();
    if options.default {
        out.write_all(default_file().as_bytes())?;
        return Ok(Ending::Whole);
    }
    match Config::load(&options.flags) {
        Ok(Loaded { config, sources, warnings }) => {
            tell(&warnings);
            out.write_all(effective(&config, options.sources.then_some(&sources)).as_bytes())?;
            Ok(Ending::Whole)
        }
        Err(error) => Ok(Ending::Unusable(error.lines())),
    }
}

/// A file is judged by itself, whatever else this machine says; without one, all that holds here.
fn check(options: &CheckConfig) -> Result<Ending> {
    let loaded = match &options.file {
        Some(path) => alone(path.clone())?,
        None => Config::load(&ConfigFlags::default()),
    };
    let Loaded { config, warnings, .. } = match loaded {
        Ok(loaded) => loaded,
        Err(error) => return Ok(Ending::Unusable(error.lines())),
    };
    tell(&warnings);
    let files = missing(&config);
    if !files.is_empty() {
        return Ok(Ending::Unusable(files));
    }
    let what = options
        .file
        .as_ref()
        .map_or_else(|| "the configuration".to_owned(), |path| path.display().to_string());
    writeln!(std::io::stdout(), "{what} is good")?;
    Ok(Ending::Whole)
}

fn tell(warnings: &[String]) {
    for warning in warnings {
        tracing::warn!("{warning}");
    }
}

fn alone(path: PathBuf) -> Result<Result<Loaded, ConfigError>> {
    let text = read_file(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let here = std::env::current_dir()?;
    Ok(Config::of(&Given { files: vec![(path, text)], home: here.join(home()), here, ..Given::default() }))
}

/// What would keep the server from starting: files that are not there, and nothing that says who may use it.
fn missing(config: &Config) -> Vec<String> {
    let (tls, jwt) = (&config.tls, &config.jwt);
    let named = [
        ("server.tls.cert", &tls.cert),
        ("server.tls.key", &tls.key),
        ("access.jwt.secret_file", &jwt.secret_file),
        ("access.jwt.key_file", &jwt.key_file),
    ];
    let unread = named.into_iter().filter_map(|(key, path)| {
        let path = path.as_ref()?;
        let error = read_file(path).err()?;
        Some(format!("{key}: cannot read {}: {error}", path.display()))
    });
    let has_tokens = config.access.tokens.try_exists().unwrap_or(false);
    let open = config.refuse_open(usize::from(has_tokens)).err().map(|error| error.to_string());
    unread.chain(open).collect()
}
