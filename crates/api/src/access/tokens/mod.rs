//! API tokens: `ocl_` and 256 random bits, kept as hashes in one file.

mod file;
mod table;
#[cfg(test)]
mod tests;

use std::fmt;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::rand::{SecureRandom as _, SystemRandom};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use super::{
    grant::{Grant, Role, StreamScope},
    secret::Secret,
};

pub use file::{NewToken, TokenFile, TokenFileError};
pub(crate) use table::{Found, TokenTable};

/// What every token begins with, so that a scanner finds one that was published by mistake.
pub(crate) const PREFIX: &str = "ocl_";

/// A token as it is kept: everything but the token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokenRecord {
    /// Twelve hexadecimal digits.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// What it allows.
    pub role: Role,
    /// On which streams.
    #[serde(default, skip_serializing_if = "StreamScope::is_all")]
    pub streams: StreamScope,
    /// When it was made, in milliseconds since 1970.
    pub created_ms: i64,
    /// When it ends, in milliseconds since 1970; `None`: never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_ms: Option<i64>,
    hash: TokenHash,
}

impl TokenRecord {
    /// Whether its time is over.
    pub fn has_expired(&self, now_ms: i64) -> bool {
        self.expires_ms.is_some_and(|expires_ms| expires_ms <= now_ms)
    }

    pub(crate) fn grant(&self) -> Grant {
        Grant { subject: self.name.clone(), role: self.role, streams: self.streams.clone() }
    }
}

/// SHA-256 of a token. A slow hash protects secrets that people choose; nobody guesses 256 random bits, however fast the
/// hash, and a slow one would cost every request and be a lever to stall the server.
#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct TokenHash([u8; 32]);

impl TokenHash {
    pub(crate) fn of(token: &str) -> Self {
        Self(Sha256::digest(token).into())
    }

    /// Where to look for it.
    fn shelf(&self) -> u64 {
        let [a, b, c, d, e, f, g, h, ..] = self.0;
        u64::from_be_bytes([a, b, c, d, e, f, g, h])
    }
}

/// In a time that does not depend on where they differ.
impl PartialEq for TokenHash {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for TokenHash {}

impl fmt::Debug for TokenHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenHash")
    }
}

impl From<TokenHash> for String {
    fn from(hash: TokenHash) -> Self {
        format!("sha256:{}", URL_SAFE_NO_PAD.encode(hash.0))
    }
}

impl TryFrom<String> for TokenHash {
    type Error = &'static str;

    fn try_from(word: String) -> Result<Self, &'static str> {
        let digits = word.strip_prefix("sha256:").ok_or("a token's hash begins with sha256:")?;
        let bytes = URL_SAFE_NO_PAD.decode(digits).ok().and_then(|bytes| bytes.try_into().ok());
        bytes.map(Self).ok_or("a token's hash is 32 bytes in base64url")
    }
}

/// The machine gives no random bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the system gives no random bytes")]
pub struct NoRandom;

/// A new token.
fn draw() -> Result<Secret, NoRandom> {
    Ok(Secret::new(format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(random::<32>()?))))
}

/// A name for a token that nobody chose.
fn draw_id() -> Result<String, NoRandom> {
    let mut bytes = [0; 8];
    bytes[2..].copy_from_slice(&random::<6>()?);
    Ok(format!("{:012x}", u64::from_be_bytes(bytes)))
}

fn random<const LENGTH: usize>() -> Result<[u8; LENGTH], NoRandom> {
    let mut bytes = [0; LENGTH];
    SystemRandom::new().fill(&mut bytes).map_err(|_unspecified| NoRandom)?;
    Ok(bytes)
}
