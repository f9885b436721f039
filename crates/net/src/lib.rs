//! Where connections may go, and the one HTTP client that everything outgoing uses.
//!
//! [`AddressPolicy`] is pure: an address in, a verdict out. [`Client`] resolves a name once, checks every address it
//! got, connects to a checked one, and does the same again at each redirect.

mod body;
mod client;
mod download;
mod network;
mod policy;
mod tls;
mod url;

pub use body::Body;
pub use client::{Client, ClientError};
pub use download::{DownloadError, Downloaded, Limits};
pub use network::{Network, NetworkError, networks};
pub use policy::{AddressPolicy, Refused, Why};
pub use tls::Tls;
pub use url::shown;
