//! The accept loop.

mod connection;
mod name;
mod slots;

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use tokio::{
    net::{TcpListener, TcpSocket, TcpStream},
    sync::watch,
    task::{JoinError, JoinSet},
    time::{sleep, timeout},
};

use self::{
    connection::Connection,
    slots::{Slot, Slots},
};
use super::super::{Admission, PublishHub};

/// Connections that the system holds for us.
const BACKLOG: u32 = 128;
/// Between two tries to accept where the machine has no file descriptors left.
const REST: Duration = Duration::from_millis(100);
/// How long connections may take to hear that the server goes.
const DRAIN: Duration = Duration::from_secs(5);

/// What one publisher may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RtmpConfig {
    /// Connections at once; more wait to be accepted.
    pub connections: usize,
    /// Connections at once of one address (IPv6: of one /64); more are closed.
    pub connections_per_address: usize,
    /// From accepting a connection to its publish.
    pub handshake_timeout: Duration,
    /// Longest pause of a publisher in reading what it is told.
    pub write_timeout: Duration,
    /// Longest message, in bytes: the largest picture.
    pub most_message: usize,
}

impl Default for RtmpConfig {
    /// 512 connections, 64 of one address, 10 s to begin, 5 s to listen, pictures of 8 MiB.
    fn default() -> Self {
        Self {
            connections: 512,
            connections_per_address: 64,
            handshake_timeout: Duration::from_secs(10),
            write_timeout: Duration::from_secs(5),
            most_message: 8 << 20,
        }
    }
}

/// An address that cannot be listened on.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen for RTMP publishers on {address}")]
pub struct RtmpBindError {
    /// As configured.
    pub address: SocketAddr,
    /// Why.
    #[source]
    pub source: io::Error,
}

/// Listens for publishers, and gives what they send to a [`PublishHub`].
#[derive(Debug)]
pub struct RtmpServer {
    sockets: Vec<(TcpListener, SocketAddr)>,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    config: RtmpConfig,
    hub: PublishHub,
    admission: Arc<dyn Admission>,
}

impl RtmpServer {
    /// Opens the sockets. Must be called within a tokio runtime.
    pub fn bind(
        addresses: &[SocketAddr],
        config: RtmpConfig,
        hub: PublishHub,
        admission: Arc<dyn Admission>,
    ) -> Result<Self, RtmpBindError> {
        let open = |&address: &SocketAddr| open(address).map_err(|source| RtmpBindError { address, source });
        let sockets = addresses.iter().map(open).collect::<Result<_, _>>()?;
        Ok(Self { sockets, shared: Arc::new(Shared { config, hub, admission }) })
    }

    /// Where it listens, with the ports that the system chose.
    pub fn addresses(&self) -> Vec<SocketAddr> {
        self.sockets.iter().map(|(_, address)| *address).collect()
    }

    /// Takes publishers until `stop` is ready. Then all of them are told, and their streams come to an end.
    pub async fn run(self, stop: impl Future<Output = ()> + Send) {
        let Self { sockets, shared } = self;
        let slots = Arc::new(Slots::new(shared.config.connections, shared.config.connections_per_address));
        let (closing, closed) = watch::channel(false);
        let mut loops = JoinSet::new();
        for (listener, address) in sockets {
            tracing::info!(%address, "RTMP publishers are taken");
            let (shared, slots) = (Arc::clone(&shared), Arc::clone(&slots));
            loops.spawn(Acceptor { listener, address, shared, slots }.run(closed.clone()));
        }
        stop.await;
        closing.send_replace(true);
        let ended = async { while loops.join_next().await.is_some() {} };
        // Whoever does not listen is cut.
        timeout(DRAIN, ended).await.ok();
        loops.shutdown().await;
    }
}

fn open(address: SocketAddr) -> io::Result<(TcpListener, SocketAddr)> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // A restart need not wait for the connections of the server before.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    let listener = socket.listen(BACKLOG)?;
    let address = listener.local_addr()?;
    Ok((listener, address))
}

/// Accepts on one socket.
struct Acceptor {
    listener: TcpListener,
    address: SocketAddr,
    shared: Arc<Shared>,
    slots: Arc<Slots>,
}

impl Acceptor {
    /// Until the server closes; then waits for what goes on.
    async fn run(self, mut closed: watch::Receiver<bool>) {
        let mut going = JoinSet::new();
        let closing = closed.clone();
        loop {
            tokio::select! {
                _ = closed.wait_for(|closed| *closed) => break,
                Some(ended) = going.join_next() => report(&ended),
                accepted = self.accept() => {
                    if let Some((stream, peer, slot)) = accepted {
                        let connection = Connection::new(stream, peer, Arc::clone(&self.shared));
                        let mut closing = closing.clone();
                        going.spawn(async move {
                            connection.serve(async move { closing.wait_for(|closed| *closed).await.is_ok() }).await;
                            drop(slot);
                        });
                    }
                }
            }
        }
        drop(self.listener);
        while let Some(ended) = going.join_next().await {
            report(&ended);
        }
    }

    /// The next connection, once there is room for it. Dropping the future loses none.
    async fn accept(&self) -> Option<(TcpStream, SocketAddr, Slot)> {
        let room = self.slots.room().await;
        let (stream, peer) = match self.listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                // A client that has gone already is no reason to rest.
                if error.kind() != io::ErrorKind::ConnectionAborted {
                    tracing::error!(%error, address = %self.address, "cannot accept an RTMP connection");
                    sleep(REST).await;
                }
                return None;
            }
        };
        let slot = self.slots.take(room, peer.ip());
        if slot.is_none() {
            tracing::warn!(%peer, "an RTMP connection is closed: too many of one address");
        }
        slot.map(|slot| (stream, peer, slot))
    }
}

fn report(ended: &Result<(), JoinError>) {
    if let Err(error) = ended
        && error.is_panic()
    {
        tracing::error!(%error, "an RTMP connection ended by a panic");
    }
}
