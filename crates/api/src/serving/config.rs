//! Where to listen, and how much of the server one client may hold.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::PathBuf,
    time::Duration,
};

use serde::{Deserialize, Serialize};

/// The section `serve` of the configuration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ServingConfig {
    /// Where to listen.
    pub listeners: Vec<Listener>,
    /// What a client may take.
    pub limits: LimitsConfig,
}

/// One address to listen on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Listener {
    /// Address and port; port 0 is any that is free.
    pub address: SocketAddr,
    /// Encrypt with this certificate; left out, plain HTTP.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls: Option<TlsFiles>,
}

/// A certificate. Both files are read again within a minute of a change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TlsFiles {
    /// The certificate and those between it and the authority (PEM, in this order).
    pub certificate: PathBuf,
    /// Its private key (PEM).
    pub key: PathBuf,
}

/// What a client may take. All times are in seconds and at least 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LimitsConfig {
    /// Connections at once; more wait to be accepted.
    pub connections: u32,
    /// Connections at once of one address (IPv6: of one /64); more are closed. Behind a proxy all come from one.
    pub connections_per_address: u32,
    /// Until TLS is agreed on.
    pub handshake_s: u64,
    /// Until the first request of a connection is there.
    pub head_s: u64,
    /// Between two requests of a connection.
    pub idle_s: u64,
    /// Longest pause in the body of a request; on average it must come at 1 KiB/s.
    pub body_stall_s: u64,
    /// From the end of a request to the beginning of its answer.
    pub answer_s: u64,
    /// Longest pause of a client in reading what it is sent.
    pub write_stall_s: u64,
    /// Most bytes of a request's body where files are uploaded; other routes take 2 MiB.
    pub upload_bytes: u64,
    /// Requests at once on one HTTP/2 connection.
    pub http2_streams: u32,
    /// How long requests may go on once the server is told to stop.
    pub drain_s: u64,
}

impl Default for ServingConfig {
    fn default() -> Self {
        let address = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8002);
        Self { listeners: vec![Listener { address, tls: None }], limits: LimitsConfig::default() }
    }
}

impl Default for LimitsConfig {
    fn default() -> Self {
        Self {
            connections: 4096,
            connections_per_address: 2048,
            handshake_s: 10,
            head_s: 20,
            idle_s: 75,
            body_stall_s: 30,
            answer_s: 60,
            write_stall_s: 60,
            upload_bytes: 4 << 30,
            http2_streams: 128,
            drain_s: 20,
        }
    }
}

impl LimitsConfig {
    /// The name of a limit that nobody could serve under.
    pub(super) fn wrong(&self) -> Option<&'static str> {
        let Self { connections, connections_per_address, http2_streams, upload_bytes, .. } = *self;
        let all = [
            ("connections", connections.into()),
            ("connections_per_address", connections_per_address.into()),
            ("handshake_s", self.handshake_s),
            ("head_s", self.head_s),
            ("idle_s", self.idle_s),
            ("body_stall_s", self.body_stall_s),
            ("answer_s", self.answer_s),
            ("write_stall_s", self.write_stall_s),
            ("upload_bytes", upload_bytes),
            ("http2_streams", http2_streams.into()),
            ("drain_s", self.drain_s),
        ];
        all.into_iter().find(|(_name, value)| *value == 0).map(|(name, _value)| name)
    }
}

pub(super) fn seconds(count: u64) -> Duration {
    // Beyond a century timers overflow.
    Duration::from_secs(count.min(100 * 365 * 24 * 3600))
}
