//! Who asks, and what they may do.
//!
//! Every route says in the OpenAPI document which role it needs (`x-role`) and where it names its stream (`x-stream`). The
//! guard reads these words when the server starts ([`Needs::read`]), refuses to start where one is missing, and decides by
//! them before a handler runs: one table for documentation, enforcement and tests.
//!
//! ```text
//! #[utoipa::path(get, path = "/api/v1/streams/{stream}", extensions(
//!     ("x-role" = json!("viewer")),          // public, viewer, operator, admin
//!     ("x-stream" = json!("path:stream")),   // see below
//! ))]
//! async fn stream(caller: Caller, …)
//! ```
//!
//! | `x-stream` | the route | who checks |
//! |---|---|---|
//! | `none` | concerns no stream in particular | the guard |
//! | `all` | concerns every stream or the server itself; a grant limited to streams does not do | the guard |
//! | `path:NAME` | names its stream in this part of its path | the guard |
//! | `path:NAME.ENDING` | in this part of its path, before the ending | the guard |
//! | `query:NAME` | in this field of its query | the guard; the handler if the field may be missing |
//! | `body:NAME` | in this field of its form or JSON | the handler, by [`Caller::require`] as soon as it has read the field |
//! | `list` | tells of many | the handler, by [`Caller::may_see`] for each |
//!
//! `x-media` marks routes that give media of one stream to viewers, which media URLs open too: `kept` what lies there and is asked
//! for many times a second, so that rates do not count it, `made` what each request costs work.
//!
//! Where the handler has to check and forgot it, the guard turns its success into an error: a route that leaks shows in the
//! first test.

mod address;
mod authenticate;
mod caller;
mod config;
mod credential;
mod grant;
mod guard;
mod jwt;
mod layers;
mod media_url;
mod needs;
mod origin;
mod rates;
mod secret;
#[cfg(test)]
mod tests;
mod tokens;

pub(crate) use address::customer;
pub use caller::{Caller, Denied, DeniedReason};
pub use config::{AccessConfig, AccessConfigError, AnonymousRule, RatesConfig};
pub use credential::take_credentials;
pub use grant::{Contract, Grant, Role, RoleError, StreamScope, StreamScopeError, Target};
pub use guard::{Access, WallClock};
pub use jwt::{JwtAlgorithm, JwtConfig, JwtKeyError};
pub(crate) use media_url::{MediaPath, SignedQuery};
pub use needs::{Media, Needed, Needs, UndeclaredRoute, Where};
pub use origin::{Origin, OriginError};
pub use rates::Rate;
pub use secret::Secret;
pub use tokens::{NewToken, NoRandom, TokenFile, TokenFileError, TokenRecord};
