//! `ocelli token`: who may use the server's interface.

use std::io::Write as _;

use anyhow::{Context as _, Result, anyhow};
use ocelli_api::access::{NewToken, StreamScope, TokenFile, TokenRecord};
use serde_json::json;

use crate::{
    cli::{CreateToken, Lifetime, ListTokens, RevokeToken, Token, TokenCommand, TokenPlace},
    clock::now_ms,
    config::{Config, ConfigFlags},
    ending::Ending,
};

pub(crate) fn token(options: &Token) -> Result<Ending> {
    match &options.command {
        TokenCommand::Create(options) => create(options),
        TokenCommand::List(options) => list(options),
        TokenCommand::Revoke(options) => revoke(options),
    }
}

/// The file that the server of this machine reads, unless told.
fn open(place: &TokenPlace) -> Result<TokenFile> {
    let path = match &place.file {
        Some(path) => path.clone(),
        None => match Config::load(&ConfigFlags::default()) {
            Ok(loaded) => loaded.config.access.tokens,
            Err(error) => return Err(anyhow!(error.lines().join("; "))),
        },
    };
    Ok(TokenFile::open(path)?)
}

/// The token goes to standard output, alone, and what is said about it to standard error.
fn create(options: &CreateToken) -> Result<Ending> {
    let CreateToken { name, role, streams, expires, place } = options;
    let limited = (!streams.is_empty()).then_some(streams.as_slice());
    let streams = StreamScope::of(limited).context("--stream")?;
    let file = open(place)?;
    // The data directory need not exist before its first file.
    if let Some(folder) = file.path().parent() {
        std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    }
    let now = now_ms();
    let expires_ms = match expires {
        Lifetime::Never => None,
        Lifetime::Ms(ms) => Some(now.saturating_add(*ms)),
    };
    let (record, token) =
        file.create(NewToken { name: name.clone(), role: *role, streams, expires_ms }, now)?;
    writeln!(std::io::stdout(), "{}", token.reveal())?;
    let TokenRecord { id, name, role, streams, .. } = &record;
    let end = end(&record);
    writeln!(std::io::stderr(), "token {name} ({id}): {role} on {streams}, {end}; it is not shown again")?;
    Ok(Ending::Whole)
}

fn list(options: &ListTokens) -> Result<Ending> {
    let tokens = open(&options.place)?.list()?;
    let mut out = std::io::stdout().lock();
    if tokens.is_empty() && !options.json {
        writeln!(out, "no tokens; `ocelli token create --name NAME --role viewer` makes one")?;
    }
    for record in tokens {
        let TokenRecord { id, name, role, streams, created_ms, expires_ms, .. } = &record;
        if options.json {
            let line = json!({"id": id, "name": name, "role": role, "streams": streams, "created_ms": created_ms,
                "expires_ms": expires_ms, "expired": record.has_expired(now_ms())});
            writeln!(out, "{line}")?;
        } else {
            let end = if record.has_expired(now_ms()) { "expired".to_owned() } else { end(&record) };
            writeln!(out, "{id}  {name:24} {:9} {end:18} {streams}", role.as_str())?;
        }
    }
    Ok(Ending::Whole)
}

fn revoke(options: &RevokeToken) -> Result<Ending> {
    let TokenRecord { id, name, .. } = open(&options.place)?.revoke(&options.token)?;
    writeln!(std::io::stdout(), "token {name} ({id}) is revoked")?;
    Ok(Ending::Whole)
}

fn end(record: &TokenRecord) -> String {
    record.expires_ms.map_or_else(|| "until revoked".to_owned(), |ms| format!("until {}", date(ms)))
}

/// The day in UTC. Years begin in March here, so that the leap day is their last (Howard Hinnant, `civil_from_days`).
fn date(ms: i64) -> String {
    let days = ms.div_euclid(86_400_000) + 719_468;
    let (era, day) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (month, next) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    format!("{:04}-{month:02}-{day:02}", era * 400 + year + next)
}

#[cfg(test)]
mod tests {
    use super::date;

    #[test]
    fn days_have_dates() {
        let check = |days: i64, expected: &str| assert_eq!(date(days * 86_400_000 + 1), expected);
        check(0, "1970-01-01");
        check(-1, "1969-12-31");
        check(11_016, "2000-02-29");
        check(11_017, "2000-03-01");
        check(20_454, "2026-01-01");
        check(47_540, "2100-02-28");
        check(47_541, "2100-03-01");
    }
}
