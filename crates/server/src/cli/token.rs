//! `ocelli token` on the command line.

use std::{path::PathBuf, str::FromStr};

use clap::{Args, Subcommand};
use ocelli_api::access::Role;

const TOKEN_EXAMPLES: &str = "\
Examples:
  A token for a dashboard that may look at two cameras and all front doors, for a year:
    ocelli token create --name wall --role viewer --stream cam1 --stream cam2 --stream 'front-*' --expires 365d
  One for yourself, kept in a variable and used:
    TOKEN=$(ocelli token create --name me --role admin)
    curl -H \"Authorization: Bearer $TOKEN\" http://127.0.0.1:8002/api/v1/streams
  Which there are, and away with one:
    ocelli token list
    ocelli token revoke wall

A running server follows within a second. Only a hash of a token is kept: whoever loses one makes a new one.";

#[derive(Debug, Args)]
#[command(after_help = TOKEN_EXAMPLES)]
pub(crate) struct Token {
    #[command(subcommand)]
    pub(crate) command: TokenCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum TokenCommand {
    /// Make a token, and print it: it is shown this once
    Create(CreateToken),
    /// List the tokens: who may do what, until when
    List(ListTokens),
    /// End a token
    Revoke(RevokeToken),
}

#[derive(Debug, Args)]
pub(crate) struct CreateToken {
    /// What to call it: who uses it, or what for
    #[arg(long)]
    pub(crate) name: String,
    /// What it allows: viewer (see), operator (also create, change, start, stop and delete streams), admin (everything)
    #[arg(long)]
    pub(crate) role: Role,
    /// Only on this stream, or on those whose ids begin so, as in 'front-*'; again for more [default: all]
    #[arg(long = "stream", value_name = "ID|PREFIX*")]
    pub(crate) streams: Vec<String>,
    /// How long it holds: 12h, 90d, or never
    #[arg(long, value_name = "TIME", default_value = "90d")]
    pub(crate) expires: Lifetime,
    #[command(flatten)]
    pub(crate) place: TokenPlace,
}

#[derive(Debug, Args)]
pub(crate) struct ListTokens {
    /// Print JSON, one object per token
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) place: TokenPlace,
}

#[derive(Debug, Args)]
pub(crate) struct RevokeToken {
    /// Its id or name, as in `ocelli token list`
    #[arg(value_name = "ID|NAME")]
    pub(crate) token: String,
    #[command(flatten)]
    pub(crate) place: TokenPlace,
}

#[derive(Debug, Args)]
pub(crate) struct TokenPlace {
    /// The file of tokens [default: `access.tokens` of the configuration, `tokens.json` in the data directory]
    #[arg(long, value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
}

/// How long a token holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lifetime {
    /// Until it is revoked.
    Never,
    /// This many milliseconds.
    Ms(i64),
}

/// A word that is no time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("write hours or days, such as 12h or 90d, up to 36500d; or never")]
pub(crate) struct LifetimeError;

impl FromStr for Lifetime {
    type Err = LifetimeError;

    fn from_str(word: &str) -> Result<Self, LifetimeError> {
        const HOUR_MS: i64 = 3_600_000;
        const MOST_HOURS: i64 = 36_500 * 24;
        if word == "never" {
            return Ok(Self::Never);
        }
        let (count, hours) = match (word.strip_suffix('h'), word.strip_suffix('d')) {
            (Some(count), _) => (count, 1),
            (None, Some(count)) => (count, 24),
            (None, None) => return Err(LifetimeError),
        };
        let count: u32 = count.parse().map_err(|_error| LifetimeError)?;
        let hours = i64::from(count) * hours;
        if (1..=MOST_HOURS).contains(&hours) { Ok(Self::Ms(hours * HOUR_MS)) } else { Err(LifetimeError) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lifetimes_are_hours_or_days() {
        let check = |word: &str, expected| assert_eq!(word.parse::<Lifetime>().ok(), expected, "{word}");
        check("never", Some(Lifetime::Never));
        check("1h", Some(Lifetime::Ms(3_600_000)));
        check("90d", Some(Lifetime::Ms(90 * 86_400_000)));
        check("36500d", Some(Lifetime::Ms(36_500 * 86_400_000)));
        for bad in ["", "d", "0d", "90", "-1d", "1.5d", "36501d", "4294967296h", "90 d", "1w", "Never"] {
            check(bad, None);
        }
    }
}
