//! Between the RTSP library, which speaks plain RTSP with media interleaved and nothing else that we would trust, and a
//! server that wants TLS or sends datagrams. The library connects to a socket of this machine; the relay holds the
//! connection to the server, whose address was checked before.
//!
//! The library's own datagrams, and those of libavformat, go wherever the server's answer names; libavformat follows
//! redirects by itself too, and does not look at certificates. Here nothing leaves for another address than the checked.

mod datagrams;
mod message;
mod order;

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};

use ocelli_net::Tls;
use tokio::{
    io::{AsyncRead, AsyncWrite, copy_bidirectional_with_sizes},
    net::{TcpListener, TcpStream},
    task::JoinSet,
    time::timeout,
};

use self::datagrams::Datagrams;

/// Bytes in each direction that wait for who is slower, beside those of sockets.
const BUFFER: usize = 64 << 10;
/// The library connects at once, or never.
const PATIENCE: Duration = Duration::from_secs(10);

/// A relay at work, until it is dropped.
#[derive(Debug)]
pub(super) struct Relay {
    /// Where the library finds it.
    pub(super) address: SocketAddr,
    _task: JoinSet<()>,
}

impl Relay {
    /// RTSP inside TLS, to a server that proves to be `host`.
    pub(super) async fn encrypted(tls: &Tls, host: &str, server: TcpStream) -> io::Result<Self> {
        let server = tls.connect(host, server).await?;
        Self::start(async move |client| pass_on(client, server).await).await
    }

    /// Media in datagrams.
    pub(super) async fn with_datagrams(server: TcpStream) -> io::Result<Self> {
        let datagrams = Datagrams::new(server)?;
        Self::start(async move |client| datagrams.run(client).await).await
    }

    async fn start<W>(work: impl FnOnce(TcpStream) -> W + Send + 'static) -> io::Result<Self>
    where
        W: Future<Output = io::Result<()>> + Send,
    {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let mut task = JoinSet::new();
        task.spawn(async move {
            let Ok(Ok((client, _))) = timeout(PATIENCE, listener.accept()).await else { return };
            drop(listener);
            client.set_nodelay(true).ok();
            if let Err(error) = work(client).await {
                // The library sees that its connection ends.
                tracing::debug!(%error, "the relay to an RTSP server ended");
            }
        });
        Ok(Self { address, _task: task })
    }
}

async fn pass_on(mut client: TcpStream, mut server: impl AsyncRead + AsyncWrite + Unpin) -> io::Result<()> {
    copy_bidirectional_with_sizes(&mut client, &mut server, BUFFER, BUFFER).await.map(|_| ())
}
