//! Who sent a request, and what that allows.

use std::{
    convert::Infallible,
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use axum::{
    extract::FromRequestParts,
    http::{HeaderValue, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use ocelli_model::StreamId;

use super::grant::{Contract, Grant, Role, Target};
use crate::problem::Problem;

/// Who sent a request. Handlers take it as an argument; the guard puts it there. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Caller {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    grants: Vec<Arc<Grant>>,
    /// Whether a credential was shown and holds.
    known: bool,
    /// When the credential ends, in milliseconds since 1970.
    expires_ms: Option<i64>,
    /// The token, where the credential is one of ours.
    token: Option<String>,
    address: Option<IpAddr>,
    contract: Contract,
    /// Whether a handler asked for its stream: the guard insists where it could not know the stream itself.
    asked: AtomicBool,
}

/// Why a caller may not do something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DeniedReason {
    /// Nothing was shown, and the address has no rights of its own.
    #[error(
        "this needs a credential; send `Authorization: Bearer <token>` with a token from `ocelli token create`"
    )]
    Unknown,
    /// What was shown is not enough.
    #[error("this needs the role {0}, which your credential does not have")]
    Role(Role),
    /// Not for this stream. Said before anybody looks whether there is such a stream, so the answer does not tell.
    #[error("your credential does not extend to this stream")]
    Stream,
    /// The server itself, or all streams.
    #[error("this concerns all streams, and your credential is limited to some")]
    Everything,
}

/// A refusal, as the answer it becomes: 401 for those who showed nothing, else 403.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct Denied {
    /// Why.
    pub reason: DeniedReason,
    pub(crate) contract: Contract,
}

impl Caller {
    /// Somebody whose credential holds.
    pub(crate) fn known(
        grant: Arc<Grant>,
        expires_ms: Option<i64>,
        token: Option<String>,
        from: Sender,
    ) -> Self {
        Self::new(vec![grant], true, expires_ms, token, from)
    }

    /// Somebody without a credential; `grants` is what the address may do all the same.
    pub(crate) fn anonymous(grants: Vec<Arc<Grant>>, from: Sender) -> Self {
        Self::new(grants, false, None, None, from)
    }

    fn new(
        grants: Vec<Arc<Grant>>,
        known: bool,
        expires_ms: Option<i64>,
        token: Option<String>,
        from: Sender,
    ) -> Self {
        let asked = AtomicBool::new(false);
        let Sender { address, contract } = from;
        Self { inner: Arc::new(Inner { grants, known, expires_ms, token, address, contract, asked }) }
    }

    /// Whether the caller may do what needs `role` on this stream; without a stream, what concerns none in particular.
    pub fn require(&self, role: Role, stream: Option<&StreamId>) -> Result<(), Denied> {
        self.inner.asked.store(true, Ordering::Relaxed);
        self.check(role, stream.map_or(Target::Nothing, Target::Stream))
    }

    /// Whether the caller may do what needs `role` and concerns all streams, or the server itself.
    pub fn require_everywhere(&self, role: Role) -> Result<(), Denied> {
        self.inner.asked.store(true, Ordering::Relaxed);
        self.check(role, Target::Everything)
    }

    /// Whether the stream may be shown to the caller; lists are filtered by it.
    pub fn may_see(&self, stream: &StreamId) -> bool {
        self.inner.asked.store(true, Ordering::Relaxed);
        self.check(Role::Viewer, Target::Stream(stream)).is_ok()
    }

    /// Who it is, for logs: the name of a token, the subject of a JWT, or `anonymous`.
    pub fn name(&self) -> &str {
        self.inner.grants.first().map_or("anonymous", |grant| &grant.subject)
    }

    /// The client's own address, behind trusted proxies too.
    pub fn address(&self) -> Option<IpAddr> {
        self.inner.address
    }

    pub(crate) fn is_known(&self) -> bool {
        self.inner.known
    }

    pub(crate) fn expires_ms(&self) -> Option<i64> {
        self.inner.expires_ms
    }

    pub(crate) fn token(&self) -> Option<&str> {
        self.inner.token.as_deref()
    }

    /// Whether [`Caller::require`] or [`Caller::may_see`] has been called.
    pub(crate) fn asked(&self) -> bool {
        self.inner.asked.load(Ordering::Relaxed)
    }

    /// The check itself, for the guard, which does not count as asking.
    pub(crate) fn check(&self, role: Role, target: Target<'_>) -> Result<(), Denied> {
        if self.inner.grants.iter().any(|grant| grant.allows(role, target)) {
            return Ok(());
        }
        let enough = self.inner.grants.iter().any(|grant| grant.role >= role);
        let reason = match target {
            _ if !self.inner.known => DeniedReason::Unknown,
            _ if !enough => DeniedReason::Role(role),
            Target::Everything => DeniedReason::Everything,
            Target::Stream(_) | Target::Nothing => DeniedReason::Stream,
        };
        Err(Denied { reason, contract: self.inner.contract })
    }
}

/// Where a request comes from and what for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sender {
    /// The client's address, where it is known.
    pub(crate) address: Option<IpAddr>,
    /// The contract of the path.
    pub(crate) contract: Contract,
}

impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = Infallible;

    /// A router without the guard has callers who may do nothing.
    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Infallible> {
        let from = Sender { address: None, contract: Contract::of(parts.uri.path()) };
        let found = parts.extensions.get::<Self>().cloned();
        Ok(found.unwrap_or_else(|| Self::anonymous(Vec::new(), from)))
    }
}

impl Denied {
    /// The answer.
    pub fn problem(&self) -> Problem {
        let detail = self.reason.to_string();
        match self.reason {
            DeniedReason::Unknown => {
                Problem::new(self.contract, StatusCode::UNAUTHORIZED, "Credential required", detail)
                    .with(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"ocelli\""))
            }
            DeniedReason::Role(_) | DeniedReason::Stream | DeniedReason::Everything => {
                Problem::new(self.contract, StatusCode::FORBIDDEN, "Not allowed", detail)
            }
        }
    }
}

impl IntoResponse for Denied {
    fn into_response(self) -> Response {
        self.problem().into_response()
    }
}
