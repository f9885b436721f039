//! JSON Web Tokens of a foreign issuer (RFC 7519): signed by one algorithm, fixed by the configuration.

mod key;
#[cfg(test)]
mod tests;

use std::path::PathBuf;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};

use super::{
    grant::{Grant, Role, StreamScope},
    secret::Secret,
};

pub use key::JwtKeyError;
use key::Key;

/// How far the issuer's clock may be from ours, in milliseconds.
const LEEWAY_MS: f64 = 30_000.0;
/// Most characters of a token; issuers that send more send what nobody reads here.
const MOST_CHARACTERS: usize = 8192;

/// Whose JWTs hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JwtConfig {
    /// How they are signed. A token that names another algorithm is refused, whatever its signature.
    pub algorithm: JwtAlgorithm,
    /// For HS256: the shared secret, at least 32 bytes. A file is better.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<Secret>,
    /// File with the issuer's public key (PEM, `BEGIN PUBLIC KEY`); for HS256, with the shared secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_file: Option<PathBuf>,
    /// What the claim `iss` must be; left out, it may be anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    /// What the claim `aud` must hold; left out, a token with an `aud` is refused, for it is meant for others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub audience: Option<String>,
}

/// How JWTs are signed (RFC 7518 section 3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum JwtAlgorithm {
    /// HMAC with SHA-256 and a shared secret.
    HS256,
    /// RSA, PKCS#1 v1.5 with SHA-256, 2048 to 8192 bits.
    RS256,
    /// ECDSA on P-256 with SHA-256.
    ES256,
}

impl JwtAlgorithm {
    fn as_str(self) -> &'static str {
        match self {
            Self::HS256 => "HS256",
            Self::RS256 => "RS256",
            Self::ES256 => "ES256",
        }
    }
}

/// Checks JWTs.
#[derive(Debug)]
pub(crate) struct JwtVerifier {
    algorithm: JwtAlgorithm,
    key: Key,
    issuer: Option<String>,
    audience: Option<String>,
}

/// Why a JWT does not hold; in the words that its sender reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum JwtError {
    #[error("the credential is neither a token of this server nor a JWT")]
    Form,
    #[error("the JWT is not signed by {0}, as this server requires")]
    Algorithm(&'static str),
    #[error("the JWT names extensions (`crit`) that this server does not know")]
    Critical,
    #[error("the JWT's signature does not hold")]
    Signature,
    #[error(
        "the JWT's claims cannot be read; exp must be a number, role one of viewer, operator, admin, streams a list of ids"
    )]
    Claims,
    #[error("the JWT has expired")]
    Expired,
    #[error("the JWT is not valid yet")]
    Early,
    #[error("the JWT is from another issuer")]
    Issuer,
    #[error("the JWT is meant for another audience")]
    Audience,
}

/// What a JWT allows, and until when (milliseconds since 1970).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Vouched {
    pub(crate) grant: Grant,
    pub(crate) expires_ms: i64,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    crit: Option<serde_json::Value>,
}

/// Unknown claims are allowed (RFC 7519 section 4); what we know must have its form.
#[derive(Deserialize)]
struct Claims {
    exp: f64,
    nbf: Option<f64>,
    iss: Option<String>,
    aud: Option<Audience>,
    sub: Option<String>,
    role: Role,
    #[serde(default)]
    streams: StreamScope,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Several(Vec<String>),
}

impl Audience {
    fn holds(&self, audience: &str) -> bool {
        match self {
            Self::One(one) => one == audience,
            Self::Several(several) => several.iter().any(|one| one == audience),
        }
    }
}

impl JwtVerifier {
    /// Reads the key.
    pub(crate) fn open(config: &JwtConfig) -> Result<Self, JwtKeyError> {
        let key = Key::open(config)?;
        let JwtConfig { algorithm, issuer, audience, .. } = config.clone();
        Ok(Self { algorithm, key, issuer, audience })
    }

    /// What a JWT allows, if it holds (RFC 7519 section 7.2).
    pub(crate) fn verify(&self, token: &str, now_ms: i64) -> Result<Vouched, JwtError> {
        if token.len() > MOST_CHARACTERS {
            return Err(JwtError::Form);
        }
        let (signed, signature) = token.rsplit_once('.').ok_or(JwtError::Form)?;
        let (header, claims) = signed.split_once('.').ok_or(JwtError::Form)?;
        let header: Header = part(header).ok_or(JwtError::Form)?;
        if header.alg != self.algorithm.as_str() {
            return Err(JwtError::Algorithm(self.algorithm.as_str()));
        }
        if header.crit.is_some() {
            return Err(JwtError::Critical);
        }
        let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_error| JwtError::Form)?;
        if !self.key.holds(signed.as_bytes(), &signature) {
            return Err(JwtError::Signature);
        }
        self.judge(part(claims).ok_or(JwtError::Claims)?, now_ms)
    }

    fn judge(&self, claims: Claims, now_ms: i64) -> Result<Vouched, JwtError> {
        // Seconds may have fractions (RFC 7519 section 2, NumericDate). NaN cannot be written in JSON.
        let ms = |seconds: f64| seconds * 1000.0;
        if ms(claims.exp) + LEEWAY_MS <= now_ms as f64 {
            return Err(JwtError::Expired);
        }
        if claims.nbf.is_some_and(|nbf| ms(nbf) - LEEWAY_MS > now_ms as f64) {
            return Err(JwtError::Early);
        }
        if self.issuer.is_some() && self.issuer != claims.iss {
            return Err(JwtError::Issuer);
        }
        let meant = match (&self.audience, &claims.aud) {
            (Some(ours), Some(theirs)) => theirs.holds(ours),
            (None, None) => true,
            (Some(_), None) | (None, Some(_)) => false,
        };
        if !meant {
            return Err(JwtError::Audience);
        }
        let subject = claims.sub.unwrap_or_else(|| "jwt".to_owned());
        let grant = Grant { subject, role: claims.role, streams: claims.streams };
        Ok(Vouched { grant, expires_ms: (ms(claims.exp) + LEEWAY_MS) as i64 })
    }
}

/// One part of a JWT: JSON in base64url without padding.
fn part<T: for<'de> Deserialize<'de>>(word: &str) -> Option<T> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(word).ok()?).ok()
}
