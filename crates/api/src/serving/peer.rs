//! Who is at the other end of a connection.

use std::net::SocketAddr;

/// The other end of a connection, found in the extensions of each request. Behind a proxy that is the proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer {
    /// Its address; IPv4 is never written as IPv6.
    pub address: SocketAddr,
    /// Whether the connection is encrypted.
    pub tls: bool,
}

impl Peer {
    /// IPv4 addresses that a dual-stack socket shows as IPv6 become IPv4 again, so that rules about networks fit them.
    pub fn new(address: SocketAddr, tls: bool) -> Self {
        Self { address: SocketAddr::new(address.ip().to_canonical(), address.port()), tls }
    }
}
