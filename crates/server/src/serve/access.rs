//! From the configuration to who may come in, and where.

use std::{fs, net::SocketAddr, time::Duration};

use anyhow::{Context as _, Result};
use ocelli_api::{
    access::{
        AccessConfig, AnonymousRule, Contract, JwtAlgorithm, JwtConfig, Rate, RatesConfig, Role, Secret,
        StreamScope,
    },
    serving::{LimitsConfig, Listener, ServingConfig, TlsFiles},
};

use crate::config::{Config, words};

/// Of a form around an upload.
const UPLOAD_MARGIN: u64 = 18 << 20;
/// No limit on requests, as good as.
const UNLIMITED: Rate = Rate { per_second: 1_000_000.0, burst: 1_000_000 };

fn contract(contract: words::Contract) -> Contract {
    match contract {
        words::Contract::VideoPipeline => Contract::VideoPipeline,
        words::Contract::MediaAnalyzer => Contract::MediaAnalyzer,
        words::Contract::Native => Contract::Native,
    }
}

fn role(role: words::Role) -> Role {
    match role {
        words::Role::Viewer => Role::Viewer,
        words::Role::Operator => Role::Operator,
        words::Role::Admin => Role::Admin,
    }
}

pub(super) fn access(config: &Config) -> Result<AccessConfig> {
    let rule = |rule: &crate::config::anonymous::AnonymousRule| -> Result<AnonymousRule> {
        Ok(AnonymousRule {
            contract: contract(rule.contract),
            networks: rule.networks.iter().map(|range| range.0).collect(),
            role: role(rule.role),
            streams: match &rule.streams {
                None => StreamScope::default(),
                Some(streams) => {
                    let list = serde_json::to_string(streams).context("access.anonymous")?;
                    serde_json::from_str(&list).context("access.anonymous: streams")?
                }
            },
        })
    };
    let limits = &config.limits;
    let requests = match limits.requests_per_second {
        0 => UNLIMITED,
        rate => Rate { per_second: f64::from(rate), burst: limits.burst },
    };
    Ok(AccessConfig {
        tokens: Some(config.access.tokens.clone()),
        jwt: jwt(config)?,
        anonymous: config.access.anonymous.iter().map(rule).collect::<Result<_>>()?,
        trusted_proxies: config.access.trusted_proxies.iter().map(|range| range.0).collect(),
        origins: config.cors.origins.iter().map(|origin| Ok(origin.0.parse()?)).collect::<Result<_>>()?,
        rates: RatesConfig { requests, ..RatesConfig::default() },
        media_key: config.access.media_key.as_ref().map(|key| Secret::new(key.expose())),
    })
}

fn jwt(config: &Config) -> Result<Option<JwtConfig>> {
    let jwt = &config.jwt;
    let algorithm = match jwt.algorithm {
        None => return Ok(None),
        Some(words::JwtAlgorithm::Hs256) => JwtAlgorithm::HS256,
        Some(words::JwtAlgorithm::Rs256) => JwtAlgorithm::RS256,
        Some(words::JwtAlgorithm::Es256) => JwtAlgorithm::ES256,
    };
    let secret = match (&jwt.secret, &jwt.secret_file) {
        (Some(secret), _) => Some(Secret::new(secret.expose())),
        (None, Some(path)) => {
            let text = fs::read_to_string(path);
            Some(Secret::new(
                text.with_context(|| format!("access.jwt.secret_file: {}", path.display()))?.trim(),
            ))
        }
        (None, None) => None,
    };
    let (issuer, audience) = (jwt.issuer.clone(), jwt.audience.clone());
    Ok(Some(JwtConfig { algorithm, secret, key_file: jwt.key_file.clone(), issuer, audience }))
}

pub(super) fn listeners(config: &Config) -> Vec<SocketAddr> {
    config.server.listen.iter().map(|listen| listen.0).collect()
}

pub(super) fn serving(config: &Config) -> ServingConfig {
    let tls = config.tls.cert.clone().zip(config.tls.key.clone());
    let tls = tls.map(|(certificate, key)| TlsFiles { certificate, key });
    let listeners = listeners(config).into_iter().map(|address| Listener { address, tls: tls.clone() });
    let limits = &config.limits;
    let whole = |time: Duration| time.as_secs().max(1);
    let defaults = LimitsConfig::default();
    ServingConfig {
        listeners: listeners.collect(),
        limits: LimitsConfig {
            connections: limits.connections,
            connections_per_address: defaults.connections_per_address.min(limits.connections),
            head_s: whole(limits.header_timeout),
            body_stall_s: whole(limits.request_timeout),
            answer_s: whole(limits.request_timeout),
            // With the form around it, and what is still read after a refusal.
            upload_bytes: limits.upload_bytes.0.saturating_add(UPLOAD_MARGIN),
            drain_s: whole(config.server.drain_timeout),
            ..defaults
        },
    }
}
