//! The sockets that a server listens on, and the loop that accepts.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use axum::Router;
use tokio::{
    net::{TcpListener, TcpSocket, TcpStream},
    task::JoinSet,
    time::{Instant, sleep, timeout_at},
};

use super::{
    config::{LimitsConfig, Listener, ServingConfig, seconds},
    connection::Connections,
    draining::{Drain, Draining},
    peer::Peer,
    slots::{Slot, Slots},
    tls::{Certificate, TlsError},
    wire::Wire,
};

/// Connections that the system holds until they are accepted.
const BACKLOG: u32 = 1024;
/// How long accepting rests when the system has no room for a connection.
const REST: Duration = Duration::from_millis(200);

/// A server that listens and does not accept yet.
#[derive(Debug)]
pub struct Server {
    sockets: Vec<Socket>,
    limits: LimitsConfig,
}

#[derive(Debug)]
struct Socket {
    listener: TcpListener,
    address: SocketAddr,
    certificate: Option<Arc<Certificate>>,
}

/// Why a server cannot listen.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// The system refuses.
    #[error("cannot listen on {address}; {}", remedy(.source.kind()))]
    Address {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The certificate cannot be used.
    #[error("cannot listen on {address} with TLS")]
    Tls {
        /// The address.
        address: SocketAddr,
        /// What is wrong.
        #[source]
        source: Box<TlsError>,
    },
    /// Nowhere to listen.
    #[error("no address to listen on; set serve.listeners")]
    Nowhere,
    /// A limit of 0.
    #[error("serve.limits.{0} must be at least 1")]
    Limit(&'static str),
}

fn remedy(kind: io::ErrorKind) -> &'static str {
    match kind {
        io::ErrorKind::AddrInUse => "another program listens there: end it, or choose another port",
        io::ErrorKind::PermissionDenied => "ports below 1024 need a right of their own: choose another port",
        io::ErrorKind::AddrNotAvailable => {
            "this machine has no such address: choose one of its own, or 0.0.0.0 for all"
        }
        _ => "choose another address",
    }
}

/// How a server ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Drained {
    /// Connections that were cut at the end of the time for draining.
    pub cut: usize,
}

impl Server {
    /// Opens the sockets and reads the certificates. Must be called within a tokio runtime.
    pub fn bind(config: &ServingConfig) -> Result<Self, BindError> {
        if let Some(name) = config.limits.wrong() {
            return Err(BindError::Limit(name));
        }
        let sockets = config.listeners.iter().map(open).collect::<Result<Vec<_>, _>>()?;
        if sockets.is_empty() { Err(BindError::Nowhere) } else { Ok(Self { sockets, limits: config.limits }) }
    }

    /// Where it listens, with the ports that the system chose.
    pub fn addresses(&self) -> Vec<SocketAddr> {
        self.sockets.iter().map(|socket| socket.address).collect()
    }

    /// The same as URLs.
    pub fn urls(&self) -> Vec<String> {
        let url = |socket: &Socket| {
            let scheme = if socket.certificate.is_some() { "https" } else { "http" };
            format!("{scheme}://{}", socket.address)
        };
        self.sockets.iter().map(url).collect()
    }

    /// Serves until `shutdown` is ready. Then nothing is accepted any more, [`Draining`] tells handlers, and what has begun may
    /// finish within the time for draining; the rest is cut. Dropping the future cuts everything at once. WebSockets are in the
    /// hands of their handlers: they are waited for, and those that do not end by themselves end with the runtime.
    pub async fn run(self, router: Router, shutdown: impl Future<Output = ()> + Send) -> Drained {
        let Self { sockets, limits } = self;
        let (drain, draining) = Drain::new();
        let slots = Arc::new(Slots::new(&limits));
        let connections = Connections::new(router, limits, draining.clone());
        let mut loops = JoinSet::new();
        for socket in sockets {
            let acceptor = Acceptor { socket, slots: Arc::clone(&slots), connections: connections.clone() };
            loops.spawn(acceptor.run(draining.clone()));
        }
        shutdown.await;
        drain.begin();
        let deadline = Instant::now() + seconds(limits.drain_s);
        let in_time = timeout_at(deadline, async {
            while loops.join_next().await.is_some() {}
            slots.empty().await;
        });
        let cut = if in_time.await.is_ok() { 0 } else { slots.taken() };
        loops.shutdown().await;
        Drained { cut }
    }
}

fn open(listener: &Listener) -> Result<Socket, BindError> {
    let Listener { address, tls } = listener;
    let failed = |source| BindError::Address { address: *address, source };
    let certificate = tls.as_ref().map(|files| Certificate::open(files, Instant::now()));
    let certificate = certificate
        .transpose()
        .map_err(|source| BindError::Tls { address: *address, source: source.into() })?;
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() };
    let listener = socket.and_then(|socket| {
        // A restart need not wait for the connections of the server before.
        socket.set_reuseaddr(true)?;
        socket.bind(*address)?;
        socket.listen(BACKLOG)
    });
    let listener = listener.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    Ok(Socket { listener, address, certificate: certificate.map(Arc::new) })
}

/// Accepts on one socket.
struct Acceptor {
    socket: Socket,
    slots: Arc<Slots>,
    connections: Connections,
}

impl Acceptor {
    /// Accepts until the server drains, then waits for what has begun. Its connections end with it.
    async fn run(self, mut draining: Draining) {
        let mut going = JoinSet::new();
        loop {
            tokio::select! {
                () = draining.begun() => break,
                Some(ended) = going.join_next() => report(ended),
                accepted = self.accept() => {
                    if let Some((stream, peer, slot)) = accepted {
                        let certificate = self.socket.certificate.clone();
                        going.spawn(serve(self.connections.clone(), certificate, stream, peer, slot));
                    }
                }
            }
        }
        // No new connection, not even in the system's queue.
        drop(self.socket);
        while let Some(ended) = going.join_next().await {
            report(ended);
        }
    }

    /// The next connection, once there is room for it. Dropping the future loses none.
    async fn accept(&self) -> Option<(TcpStream, Peer, Slot)> {
        let room = self.slots.room().await;
        let (stream, address) = match self.socket.listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                // A client that has gone already is no reason to rest; no more file descriptors is.
                if error.kind() != io::ErrorKind::ConnectionAborted {
                    tracing::error!(%error, address = %self.socket.address, "cannot accept a connection");
                    sleep(REST).await;
                }
                return None;
            }
        };
        let peer = Peer::new(address, self.socket.certificate.is_some());
        let slot = self.slots.take(room, peer.address.ip());
        if slot.is_none() {
            tracing::debug!(client = %peer.address, "too many connections of one address");
        }
        slot.map(|slot| (stream, peer, slot))
    }
}

async fn serve(
    connections: Connections,
    certificate: Option<Arc<Certificate>>,
    stream: TcpStream,
    peer: Peer,
    slot: Slot,
) {
    // Answers are written whole; waiting for more of them would only delay. Without it, it works as well.
    drop(stream.set_nodelay(true));
    let wire = Wire::new(stream, seconds(connections.limits.write_stall_s), slot);
    match certificate {
        None => connections.serve(wire, peer).await,
        Some(certificate) => {
            let acceptor = certificate.acceptor(Instant::now());
            if let Some(stream) = connections.encrypt(&acceptor, wire, peer).await {
                connections.serve(stream, peer).await;
            }
        }
    }
}

fn report(ended: Result<(), tokio::task::JoinError>) {
    if let Err(error) = ended
        && error.is_panic()
    {
        tracing::error!(%error, "a connection ended by a panic");
    }
}
