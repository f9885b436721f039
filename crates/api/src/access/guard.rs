//! The one layer that every request passes: who asks, how often, and whether the route allows it.

use std::{fmt, net::SocketAddr, sync::Arc};

use axum::{
    Router,
    extract::{FromRequestParts as _, MatchedPath, Query, RawPathParams, Request, State},
    http::{HeaderValue, Method, StatusCode, header, request::Parts},
    middleware::{self, Next},
    response::{IntoResponse as _, Response},
};
use ocelli_model::StreamId;
use tokio::time::Instant;

use super::{
    address,
    authenticate::{Authenticator, Claimant, EXPIRED_URL},
    caller::{Caller, Sender},
    config::{AccessConfig, AccessConfigError},
    credential::{Shown, take_credentials},
    grant::{Contract, Grant, Role, StreamScope, Target},
    layers,
    media_url::{MediaPath, MediaSigner, Signature},
    needs::{Media, Needed, Needs, Where},
    origin,
};
use crate::{problem::Problem, serving::Peer};

/// The wall clock, in milliseconds since 1970: only the edge of the program reads it.
#[derive(Clone)]
pub struct WallClock(Arc<dyn Fn() -> i64 + Send + Sync>);

impl WallClock {
    /// A clock that asks `now_ms` each time.
    pub fn new(now_ms: impl Fn() -> i64 + Send + Sync + 'static) -> Self {
        Self(Arc::new(now_ms))
    }

    pub(crate) fn now_ms(&self) -> i64 {
        (self.0)()
    }
}

impl fmt::Debug for WallClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WallClock")
    }
}

/// Who may come in, at work. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Access {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    config: AccessConfig,
    authenticator: Authenticator,
    signer: MediaSigner,
    clock: WallClock,
}

/// A layer's state.
#[derive(Clone, Debug)]
struct Guard {
    access: Access,
    needs: Arc<Needs>,
}

impl Access {
    /// Wall time in milliseconds since 1970.
    pub(crate) fn now_ms(&self) -> i64 {
        self.inner.clock.now_ms()
    }

    /// Reads keys and tokens. `listeners` is where the server listens: on loopback addresses only, whoever is on this machine
    /// is admin. Must be called within a tokio runtime.
    pub fn open(
        config: AccessConfig,
        listeners: &[SocketAddr],
        clock: WallClock,
    ) -> Result<Self, AccessConfigError> {
        let authenticator = Authenticator::open(&config, listeners, Instant::now())?;
        let signer = MediaSigner::open(config.media_key.as_ref())?;
        Ok(Self { inner: Arc::new(Inner { config, authenticator, signer, clock }) })
    }

    /// The router behind the guard. `needs` says what each of its routes needs; what is not in it is answered 404 or 405 here
    /// and reaches no handler, the router's fallback included. Layers that are to see refusals go around the answer.
    pub fn guard<S: Clone + Send + Sync + 'static>(&self, router: Router<S>, needs: Needs) -> Router<S> {
        let guard = Guard { access: self.clone(), needs: Arc::new(needs) };
        let router = router.layer(middleware::from_fn_with_state(guard, admit));
        layers::around(router, &self.inner.config.origins)
    }

    /// The query of a URL that lets its holder read `path` of a stream for `seconds`, and when it ends, in seconds since 1970:
    /// no later than what let the caller in.
    pub(crate) fn media_query(
        &self,
        caller: &Caller,
        stream: &StreamId,
        path: &MediaPath,
        seconds: u32,
    ) -> (String, i64) {
        let wanted = self.inner.clock.now_ms() / 1_000 + i64::from(seconds);
        let expires = caller.expires_ms().map_or(wanted, |ends| wanted.min(ends / 1_000));
        (self.inner.signer.query(stream, path, expires), expires)
    }

    /// Whether what let the caller in holds still: a token may be revoked, a JWT end while a connection goes on. Connections
    /// that last ask now and then.
    pub fn holds(&self, caller: &Caller) -> bool {
        let now_ms = self.inner.clock.now_ms();
        caller.expires_ms().is_none_or(|expires_ms| expires_ms > now_ms)
            && caller.token().is_none_or(|id| self.inner.authenticator.holds(id, Instant::now()))
    }
}

/// One request through the guard.
async fn admit(State(guard): State<Guard>, mut request: Request, next: Next) -> Response {
    take_credentials(&mut request);
    let (mut parts, body) = request.into_parts();
    let contract = Contract::of(parts.uri.path());
    let admitted = guard.check(&mut parts, contract).await;
    let (caller, body_is_to_be_asked) = match admitted {
        Ok(admitted) => admitted,
        Err(refused) => return layers::private(refused.into_response()),
    };
    parts.extensions.insert(caller.clone());
    let is_public = parts.extensions.remove::<Public>().is_some();
    let path = parts.uri.path().to_owned();
    let mut response = next.run(Request::from_parts(parts, body)).await;
    if body_is_to_be_asked && response.status().is_success() && !caller.asked() {
        tracing::error!(
            path,
            "the handler did not ask whether its caller may use the stream; its answer is withheld"
        );
        let detail = "the server did not check this request as it should; report this as a defect";
        response =
            Problem::new(contract, StatusCode::INTERNAL_SERVER_ERROR, "Defect", detail).into_response();
    }
    // For logs that lie around the guard.
    response.extensions_mut().insert(caller);
    if is_public { response } else { layers::private(response) }
}

/// Marks requests of routes that anybody may use.
#[derive(Clone, Copy)]
struct Public;

impl Guard {
    /// Who asks, if they may; and whether the handler has yet to check the stream.
    async fn check(&self, parts: &mut Parts, contract: Contract) -> Result<(Caller, bool), Problem> {
        let needed = self.needed(parts, contract);
        let caller = self.caller(parts, contract, needed.as_ref().ok()).await?;
        let needed = needed?;
        let Some(role) = needed.role else {
            parts.extensions.insert(Public);
            return Ok((caller, false));
        };
        self.refuse_foreign_pages(parts, contract, &caller)?;
        let denied = |denied: super::Denied| denied.problem();
        // First the role alone, so that whoever may do nothing here learns nothing about the rest.
        caller.check(role, Target::Nothing).map_err(denied)?;
        match stream(&needed.stream, parts).await.map_err(|detail| bad_request(contract, detail))? {
            Named::Stream(stream) => caller.check(role, Target::Stream(&stream)).map_err(denied)?,
            Named::Everything => caller.check(role, Target::Everything).map_err(denied)?,
            Named::Nothing => {}
        }
        Ok((caller, matches!(needed.stream, Where::Body(_))))
    }

    /// What the route needs; no such route, or no such method of it, is a problem.
    fn needed(&self, parts: &Parts, contract: Contract) -> Result<Needed, Problem> {
        let path = parts.extensions.get::<MatchedPath>().map(MatchedPath::as_str);
        let methods = match path.map(|path| self.needs.of(&parts.method, path)) {
            Some(Ok(needed)) => return Ok(needed.clone()),
            Some(Err(methods)) => methods,
            None => Vec::new(),
        };
        if methods.is_empty() {
            let detail = "there is nothing at this path; /api/openapi.json lists what there is";
            return Err(Problem::new(contract, StatusCode::NOT_FOUND, "Not found", detail));
        }
        let allowed = methods.join(", ");
        let detail = format!("this path knows {allowed} only");
        let problem = Problem::new(contract, StatusCode::METHOD_NOT_ALLOWED, "Method not allowed", detail);
        Err(match HeaderValue::from_str(&allowed) {
            Ok(allowed) => problem.with(header::ALLOW, allowed),
            Err(_) => problem,
        })
    }

    /// Who asks, within their rate.
    async fn caller(
        &self,
        parts: &mut Parts,
        contract: Contract,
        needed: Option<&Needed>,
    ) -> Result<Caller, Problem> {
        let shown = parts.extensions.get::<Shown>().cloned().unwrap_or(Shown::Nothing);
        let signed = match &shown {
            Shown::Signed(signature) => Some(self.signed(parts, needed, signature).await),
            _ => None,
        };
        if let (Shown::Signed(signature), Some(Ok(_))) = (&shown, &signed) {
            parts.extensions.insert(signature.query());
        }
        let config = &self.access.inner.config;
        let peer = parts.extensions.get::<Peer>();
        let address =
            peer.map(|peer| address::client(peer.address.ip(), &parts.headers, &config.trusted_proxies));
        let local = peer.is_some_and(|peer| {
            let peer = peer.address.ip();
            peer.is_loopback()
                && !config.trusted_proxies.iter().any(|network| network.contains(peer))
                && !address::was_forwarded(&parts.headers)
                && origin::asks_this_machine(&parts.uri, &parts.headers)
        });
        let lenient = needed.is_some_and(|needed| needed.role.is_none());
        let counted = !lenient && needed.is_none_or(|needed| needed.media != Some(Media::Kept));
        let sender = Sender { address, contract };
        let claimant = Claimant { shown: &shown, signed, sender, local, lenient, counted };
        self.access.inner.authenticator.admit(&claimant, Instant::now(), self.access.inner.clock.now_ms())
    }

    /// What a media URL allows; else what is wrong with it.
    async fn signed(
        &self,
        parts: &mut Parts,
        needed: Option<&Needed>,
        signature: &Signature,
    ) -> Result<Grant, &'static str> {
        let Some(needed) = needed.filter(|needed| needed.media.is_some()) else {
            return Err("a media URL opens media and nothing else");
        };
        let Ok(Named::Stream(stream)) = stream(&needed.stream, parts).await else {
            return Err("the media URL names no stream");
        };
        if !self.access.inner.signer.holds(&stream, parts.uri.path(), signature) {
            return Err("the media URL is not one of this server, or was made for something else");
        }
        if signature.expires_ms() <= self.access.inner.clock.now_ms() {
            return Err(EXPIRED_URL);
        }
        let only = StreamScope::of(Some(&[stream.as_str()])).map_err(|_error| "the stream has no name")?;
        Ok(Grant { subject: signature.subject(), role: Role::Viewer, streams: only })
    }

    /// A page of another site can make a browser send requests, and the browser adds what it has: an address that is let in
    /// without a credential. It cannot make it add one of our tokens. WebSockets, which CORS does not cover, are refused
    /// with one too.
    fn refuse_foreign_pages(
        &self,
        parts: &Parts,
        contract: Contract,
        caller: &Caller,
    ) -> Result<(), Problem> {
        let upgrade = parts.headers.contains_key(header::UPGRADE) || parts.method == Method::CONNECT;
        let changes = !matches!(parts.method, Method::GET | Method::HEAD | Method::OPTIONS);
        let matters = upgrade || (changes && !caller.is_known());
        if !matters || !origin::is_foreign(&parts.uri, &parts.headers, &self.access.inner.config.origins) {
            return Ok(());
        }
        let detail = "a page of another site may not ask this; name its origin in access.origins";
        Err(Problem::new(contract, StatusCode::FORBIDDEN, "Foreign origin", detail))
    }
}

/// What a request is about, as far as the guard can see.
enum Named {
    Stream(StreamId),
    Everything,
    Nothing,
}

/// The stream that a request names where the route says it does. `Err` is what is wrong with the name.
async fn stream(place: &Where, parts: &mut Parts) -> Result<Named, String> {
    let word = match place {
        Where::Everywhere => return Ok(Named::Everything),
        Where::Nowhere | Where::Body(_) | Where::List => return Ok(Named::Nothing),
        Where::Path(name) => {
            let params =
                RawPathParams::from_request_parts(parts, &()).await.map_err(|error| error.to_string())?;
            let found = params.iter().find(|(key, _)| key == name).map(|(_, value)| value.to_owned());
            found.ok_or_else(|| format!("the path lacks {name}"))?
        }
        Where::PathBefore(name, ending) => {
            let params =
                RawPathParams::from_request_parts(parts, &()).await.map_err(|error| error.to_string())?;
            let found = params.iter().find(|(key, _)| key == name);
            let before = found.and_then(|(_, value)| value.strip_suffix(ending.as_str()));
            before.map(str::to_owned).ok_or_else(|| format!("this path ends in {ending}"))?
        }
        Where::Query(name) => {
            let Query(fields) = Query::<Vec<(String, String)>>::try_from_uri(&parts.uri)
                .map_err(|error| error.to_string())?;
            let mut found = fields.into_iter().filter(|(key, _)| key == name).map(|(_, value)| value);
            match (found.next(), found.next()) {
                // The handler says what it needs, or filters.
                (None, _) => return Ok(Named::Nothing),
                (Some(word), None) => word,
                // We would look at one and the handler at the other.
                (Some(_), Some(_)) => return Err(format!("the query has {name} more than once")),
            }
        }
    };
    word.parse().map(Named::Stream).map_err(|error: ocelli_model::StreamIdError| error.to_string())
}

fn bad_request(contract: Contract, detail: String) -> Problem {
    Problem::new(contract, StatusCode::BAD_REQUEST, "Bad request", detail)
}

#[cfg(test)]
mod tests;
