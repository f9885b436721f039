//! From what a request shows to who sent it.

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use axum::http::{HeaderValue, StatusCode, header};
use tokio::time::Instant;

use super::{
    address::customer,
    caller::{Caller, Sender},
    config::{AccessConfig, AccessConfigError, AnonymousRule, is_loopback},
    credential::Shown,
    grant::{Contract, Grant, Role, StreamScope},
    jwt::JwtVerifier,
    rates::Buckets,
    tokens::{Found, PREFIX, TokenFile, TokenTable},
};
use crate::problem::Problem;

/// Knows all credentials and all clients.
#[derive(Debug)]
pub(super) struct Authenticator {
    tokens: Option<TokenTable>,
    jwt: Option<JwtVerifier>,
    anonymous: Vec<(AnonymousRule, Arc<Grant>)>,
    /// What whoever is on this machine may do, where only this machine reaches us.
    local: Option<Arc<Grant>>,
    requests: Buckets,
    failures: Buckets,
}

/// Somebody who asks.
pub(super) struct Claimant<'a> {
    pub(super) shown: &'a Shown,
    /// What a media URL allows, or what is wrong with it, where one was shown.
    pub(super) signed: Option<Result<Grant, &'static str>>,
    pub(super) sender: Sender,
    /// On this machine, with nobody in between.
    pub(super) local: bool,
    /// The route is open to anybody: a credential that does not hold is no reason to refuse.
    pub(super) lenient: bool,
    /// The request counts against the rate. Those of monitors and players do not.
    pub(super) counted: bool,
}

/// Players go on asking with a URL that has ended: nobody is guessing.
pub(super) const EXPIRED_URL: &str = "the media URL has expired; ask for a new one";

/// Whose bucket a request is taken from.
#[derive(Hash)]
enum Client<'a> {
    Token(&'a str),
    Subject(&'a str),
    Address(Option<IpAddr>),
}

impl Authenticator {
    pub(super) fn open(
        config: &AccessConfig,
        listeners: &[SocketAddr],
        now: Instant,
    ) -> Result<Self, AccessConfigError> {
        let tokens = config.tokens.as_ref().map(|path| TokenTable::open(TokenFile::open(path)?, now));
        let named = |role, streams: &StreamScope, subject: &str| {
            Arc::new(Grant { subject: subject.to_owned(), role, streams: streams.clone() })
        };
        let rules = config.anonymous.iter();
        let rules = rules.map(|rule| (rule.clone(), named(rule.role, &rule.streams, "anonymous"))).collect();
        let loopback_only = listeners.iter().all(is_loopback);
        Ok(Self {
            tokens: tokens.transpose()?,
            jwt: config.jwt.as_ref().map(JwtVerifier::open).transpose()?,
            anonymous: rules,
            local: loopback_only.then(|| named(Role::Admin, &StreamScope::ALL, "local")),
            requests: Buckets::new(config.rates.requests, now),
            failures: Buckets::new(config.rates.failures, now),
        })
    }

    /// Who it is, if what they show holds and they do not ask too often.
    pub(super) fn admit(
        &self,
        claimant: &Claimant<'_>,
        now: Instant,
        now_ms: i64,
    ) -> Result<Caller, Problem> {
        let contract = claimant.sender.contract;
        let caller = match claimant.shown {
            Shown::Nothing => Ok(self.anonymous(claimant)),
            Shown::Token(token) => self.known(token.reveal(), claimant.sender, now, now_ms),
            Shown::Signed(signature) => match &claimant.signed {
                Some(Ok(grant)) => {
                    let (grant, ends) = (Arc::new(grant.clone()), Some(signature.expires_ms()));
                    Ok(Caller::known(grant, ends, None, claimant.sender))
                }
                Some(Err(why)) => Err((*why).to_owned()),
                None => Err("the media URL was not looked at".to_owned()),
            },
            Shown::Unusable(unusable) => Err(unusable.to_string()),
        };
        let caller = match caller {
            Ok(caller) => caller,
            Err(_) if claimant.lenient => return Ok(self.anonymous(claimant)),
            Err(detail) => return Err(self.failed(claimant.sender, detail, now)),
        };
        let client = match (caller.token(), caller.is_known()) {
            (Some(id), _) => Client::Token(id),
            (None, true) => Client::Subject(caller.name()),
            (None, false) => Client::Address(claimant.sender.address.map(customer)),
        };
        let taken = if claimant.counted { self.requests.take(&client, now) } else { Ok(()) };
        taken.map_err(|wait| too_many(contract, wait)).map(|()| caller)
    }

    /// Whether the token with this id has not been revoked.
    pub(super) fn holds(&self, id: &str, now: Instant) -> bool {
        self.tokens.as_ref().is_some_and(|tokens| tokens.holds(id, now))
    }

    fn anonymous(&self, claimant: &Claimant<'_>) -> Caller {
        let Sender { address, contract } = claimant.sender;
        let fits = |rule: &AnonymousRule| {
            let inside = |address| rule.networks.iter().any(|network| network.contains(address));
            rule.contract == contract && address.is_some_and(inside)
        };
        let local = self.local.iter().filter(|_grant| claimant.local);
        let rules = self.anonymous.iter().filter(|(rule, _)| fits(rule)).map(|(_, grant)| grant);
        Caller::anonymous(local.chain(rules).cloned().collect(), claimant.sender)
    }

    /// The owner of a credential. A credential stands alone: it never adds to what the address may do anyway.
    fn known(&self, token: &str, sender: Sender, now: Instant, now_ms: i64) -> Result<Caller, String> {
        if token.starts_with(PREFIX) {
            let found = self.tokens.as_ref().map_or(Found::Unknown, |tokens| tokens.find(token, now, now_ms));
            return match found {
                Found::Valid(record, grant) => {
                    Ok(Caller::known(grant, record.expires_ms, Some(record.id.clone()), sender))
                }
                Found::Expired => Err("the token has expired; ask for a new one".to_owned()),
                Found::Unknown => Err("the token is not known here, or was revoked".to_owned()),
            };
        }
        let Some(jwt) = &self.jwt else {
            return Err("the credential is no token of this server, and JWTs are not configured".to_owned());
        };
        let vouched = jwt.verify(token, now_ms).map_err(|error| error.to_string())?;
        Ok(Caller::known(Arc::new(vouched.grant), Some(vouched.expires_ms), None, sender))
    }

    /// A credential that does not hold: 401, and 429 for an address that tries many.
    fn failed(&self, sender: Sender, detail: String, now: Instant) -> Problem {
        if detail != EXPIRED_URL
            && let Err(wait) = self.failures.take(&sender.address.map(customer), now)
        {
            return too_many(sender.contract, wait);
        }
        tracing::warn!(client = sender.address.map(tracing::field::display), detail, "credential refused");
        // RFC 6750 section 3.1.
        let challenge = HeaderValue::from_static("Bearer realm=\"ocelli\", error=\"invalid_token\"");
        Problem::new(sender.contract, StatusCode::UNAUTHORIZED, "Credential refused", detail)
            .with(header::WWW_AUTHENTICATE, challenge)
    }
}

fn too_many(contract: Contract, wait: Duration) -> Problem {
    let seconds = wait.as_secs_f64().ceil().max(1.0) as u64;
    let detail = format!("too many requests; wait {seconds} s");
    Problem::new(contract, StatusCode::TOO_MANY_REQUESTS, "Too many requests", detail)
        .with(header::RETRY_AFTER, HeaderValue::from(seconds))
}
