//! Who may come in, as an operator writes it.

use std::{net::SocketAddr, path::PathBuf};

use ocelli_net::Network;
use serde::{Deserialize, Serialize};

use super::{
    grant::{Contract, Role, StreamScope},
    jwt::{JwtConfig, JwtKeyError, JwtVerifier},
    media_url::MediaSigner,
    origin::Origin,
    rates::Rate,
    secret::Secret,
    tokens::{TokenFile, TokenFileError},
};

/// The section `access` of the configuration.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AccessConfig {
    /// The file of API tokens, which `ocelli token` writes.
    pub tokens: Option<PathBuf>,
    /// JWTs of a foreign issuer.
    pub jwt: Option<JwtConfig>,
    /// Who may come in without a credential.
    pub anonymous: Vec<AnonymousRule>,
    /// Proxies whose `X-Forwarded-For` is believed.
    #[serde(with = "networks")]
    pub trusted_proxies: Vec<Network>,
    /// Sites other than our own whose pages may call us (CORS) and open WebSockets.
    pub origins: Vec<Origin>,
    /// How often a client may ask.
    pub rates: RatesConfig,
    /// What media URLs are signed with, at least 32 letters; left out, a random key that ends with the process, and all media
    /// URLs with it.
    pub media_key: Option<Secret>,
}

/// Opens one contract to clients of some networks without a credential.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AnonymousRule {
    /// Which part of the interface.
    pub contract: Contract,
    /// For clients with these addresses.
    #[serde(with = "networks")]
    pub networks: Vec<Network>,
    /// What they may do.
    pub role: Role,
    /// On which streams; left out, on all.
    #[serde(default, skip_serializing_if = "StreamScope::is_all")]
    pub streams: StreamScope,
}

/// How often a client may ask: each token, each subject of a JWT, each address without a credential.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RatesConfig {
    /// Requests of a client.
    pub requests: Rate,
    /// Credentials of an address that do not hold.
    pub failures: Rate,
}

impl Default for RatesConfig {
    fn default() -> Self {
        Self {
            // A wall of a hundred cameras, each polled twice a second.
            requests: Rate { per_second: 200.0, burst: 1000 },
            failures: Rate { per_second: 0.1, burst: 10 },
        }
    }
}

/// Why nobody could or everybody would come in.
#[derive(Debug, thiserror::Error)]
pub enum AccessConfigError {
    /// Reachable by others, and closed to all of them: certainly not what was meant.
    #[error(
        "the server would listen on {address}, which other machines can reach, and nobody could show who they are; create a token (`ocelli token create --name N --role admin`), configure access.jwt, or open it with an access.anonymous rule; or listen on 127.0.0.1"
    )]
    Closed {
        /// Where it would listen.
        address: SocketAddr,
    },
    /// A rule for nobody.
    #[error(
        "an access.anonymous rule names no networks; write networks = [\"10.0.0.0/8\"], or 0.0.0.0/0 and ::/0 for everybody"
    )]
    NoNetworks,
    /// A rate that is none.
    #[error("access.rates.{0} must have per_second from 0.001 to 1000000 and burst from 1 to 1000000")]
    Rate(&'static str),
    /// The file of tokens.
    #[error("cannot use access.tokens")]
    Tokens(#[from] TokenFileError),
    /// The key of JWTs.
    #[error("cannot use access.jwt")]
    Jwt(#[from] JwtKeyError),
    /// A key that can be guessed.
    #[error("access.media_key must have at least 32 letters; leave it out for a random one")]
    MediaKey,
    /// The system gives no random numbers.
    #[error("the system gives no random numbers")]
    NoRandom,
}

impl AccessConfig {
    /// Checks that it fits where the server will listen, keys and files included. What it answers is to be logged at each
    /// start: who may come in without a credential.
    pub fn check(&self, listeners: &[SocketAddr], now_ms: i64) -> Result<Vec<String>, AccessConfigError> {
        let RatesConfig { requests, failures } = self.rates;
        for (name, rate) in [("requests", requests), ("failures", failures)] {
            if !rate.is_sane() {
                return Err(AccessConfigError::Rate(name));
            }
        }
        if self.anonymous.iter().any(|rule| rule.networks.is_empty()) {
            return Err(AccessConfigError::NoNetworks);
        }
        self.jwt.as_ref().map(JwtVerifier::open).transpose()?;
        MediaSigner::open(self.media_key.as_ref())?;
        let tokens = self.tokens.as_ref().map(|path| TokenFile::open(path)?.list()).transpose()?;
        let usable = tokens.into_iter().flatten().any(|token| !token.has_expired(now_ms));
        let open = usable || self.jwt.is_some() || !self.anonymous.is_empty();
        let reachable = listeners.iter().find(|address| !is_loopback(address));
        match reachable {
            Some(address) if !open => Err(AccessConfigError::Closed { address: *address }),
            _ => Ok(self.warnings(reachable.is_none())),
        }
    }

    fn warnings(&self, loopback_only: bool) -> Vec<String> {
        let mut warnings = Vec::new();
        if loopback_only {
            warnings.push("whoever is on this machine has the role admin without a credential, for the server listens on loopback addresses only".to_owned());
        }
        for AnonymousRule { contract, networks, role, streams } in &self.anonymous {
            let networks: Vec<String> = networks.iter().map(ToString::to_string).collect();
            let contract = match contract {
                Contract::Native => "native",
                Contract::VideoPipeline => "video-pipeline",
                Contract::MediaAnalyzer => "media-analyzer",
            };
            warnings.push(format!(
                "access.anonymous: without a credential, {} may use the {contract} interface as {role} on {streams}",
                networks.join(", ")
            ));
        }
        warnings
    }
}

/// Whether only this machine reaches it.
pub(crate) fn is_loopback(address: &SocketAddr) -> bool {
    address.ip().to_canonical().is_loopback()
}

/// Networks are written as words.
mod networks {
    use ocelli_net::Network;
    use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};

    pub(super) fn serialize<S: Serializer>(networks: &[Network], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(networks.iter().map(ToString::to_string))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Network>, D::Error> {
        let words = Vec::<String>::deserialize(deserializer)?;
        words.iter().map(|word| word.parse().map_err(D::Error::custom)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::NewToken;

    fn rule(networks: &str) -> AnonymousRule {
        let networks = ocelli_net::networks(networks).unwrap();
        AnonymousRule {
            contract: Contract::VideoPipeline,
            networks,
            role: Role::Operator,
            streams: StreamScope::ALL,
        }
    }

    #[test]
    fn nobody_listens_to_the_world_without_knowing_who_may_come() {
        let folder = tempfile::tempdir().unwrap();
        let (none, expired, whole) =
            (folder.path().join("none"), folder.path().join("expired"), folder.path().join("whole"));
        for (path, expires_ms) in [(&expired, Some(99)), (&whole, None)] {
            let new =
                NewToken { name: "a".to_owned(), role: Role::Viewer, streams: StreamScope::ALL, expires_ms };
            TokenFile::open(path).unwrap().create(new, 0).unwrap();
        }
        let check = |config: &AccessConfig, listeners: &[&str], expected: Result<usize, &str>| {
            let listeners: Vec<SocketAddr> = listeners.iter().map(|word| word.parse().unwrap()).collect();
            match (config.check(&listeners, 100), expected) {
                (Ok(warnings), Ok(count)) => assert_eq!(warnings.len(), count, "{warnings:?}"),
                (Err(error), Err(part)) => assert!(error.to_string().contains(part), "{error}"),
                (found, _) => panic!("{listeners:?} {found:?}"),
            }
        };
        let closed = AccessConfig::default();
        let tokens = |path: &PathBuf| AccessConfig { tokens: Some(path.clone()), ..closed.clone() };
        check(&closed, &["127.0.0.1:8002", "[::1]:8002"], Ok(1));
        check(&closed, &["[::ffff:127.0.0.1]:8002"], Ok(1));
        for open in ["0.0.0.0:8002", "[::]:8002", "192.168.0.2:8002"] {
            check(&closed, &["127.0.0.1:8002", open], Err("ocelli token create"));
            check(&tokens(&none), &[open], Err("nobody could show"));
            check(&tokens(&expired), &[open], Err("nobody could show"));
            check(&tokens(&whole), &[open], Ok(0));
            check(&AccessConfig { anonymous: vec![rule("10.0.0.0/8")], ..closed.clone() }, &[open], Ok(1));
        }
        check(
            &AccessConfig { anonymous: vec![rule("")], ..closed.clone() },
            &["0.0.0.0:1"],
            Err("names no networks"),
        );
        std::fs::write(&none, "{").unwrap();
        check(&tokens(&none), &["127.0.0.1:8002"], Err("access.tokens"));
        let jwt: JwtConfig = serde_json::from_str(r#"{"algorithm": "HS256", "secret": "short"}"#).unwrap();
        check(&AccessConfig { jwt: Some(jwt), ..closed.clone() }, &["127.0.0.1:1"], Err("access.jwt"));
        let mut fast = closed.clone();
        fast.rates.requests.per_second = f64::NAN;
        check(&fast, &["127.0.0.1:1"], Err("access.rates.requests"));
    }

    #[test]
    fn it_is_written_as_it_is_read_but_for_secrets() {
        let text = r#"{"tokens": "t.json", "jwt": {"algorithm": "HS256", "secret": "canary"}, "anonymous": [{"contract": "video-pipeline", "networks": ["10.0.0.0/8"], "role": "operator"}], "trusted_proxies": ["10.0.0.1"], "origins": ["https://dash.example"]}"#;
        let config: AccessConfig = serde_json::from_str(text).unwrap();
        assert_eq!(config.anonymous, [rule("10.0.0.0/8")]);
        let written = serde_json::to_string(&config).unwrap();
        assert!(!written.contains("canary") && !format!("{config:?}").contains("canary"), "{written}");
        let mut again: AccessConfig = serde_json::from_str(&written).unwrap();
        again.jwt.as_mut().unwrap().secret = Some(Secret::new("canary"));
        assert_eq!(again, config);
        for bad in [
            r#"{"token": 1}"#,
            r#"{"anonymous": [{}]}"#,
            r#"{"trusted_proxies": ["x"]}"#,
            r#"{"origins": ["*"]}"#,
        ] {
            assert!(serde_json::from_str::<AccessConfig>(bad).is_err(), "{bad}");
        }
    }
}
