//! The accept loop: sockets to requests, with a limit on everything that a client may take.
//!
//! [`Server::bind`] opens the sockets, [`Server::run`] serves a router over HTTP/1.1 and HTTP/2, plain or with TLS, until it is
//! told to stop, and lets what has begun finish. [`limit`] is the layer that bounds requests themselves. Handlers find the
//! [`Peer`] and [`Draining`] in the extensions of their request.

mod body;
mod config;
mod connection;
mod draining;
mod peer;
mod request;
mod server;
mod slots;
mod tls;
mod wire;

pub use config::{LimitsConfig, Listener, ServingConfig, TlsFiles};
pub use draining::Draining;
pub use peer::Peer;
pub use request::limit;
pub use server::{BindError, Drained, Server};
pub use tls::TlsError;
