//! A socket that ends by itself when its client does not read, and that lets a client read its last answer.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Sleep, sleep},
};

use super::slots::Slot;

/// How long, and how many bytes, a closed connection goes on reading what nobody wants.
const LINGER: Duration = Duration::from_secs(2);
const LINGER_BYTES: usize = 64 << 20;

/// A socket and the room it takes. The room goes with the socket, also where that was handed to a WebSocket.
#[derive(Debug)]
pub(super) struct Wire<Socket> {
    socket: Socket,
    write_stall: Duration,
    /// Runs while the client reads nothing.
    waiting: Option<Pin<Box<Sleep>>>,
    closing: Closing,
    _slot: Slot,
}

#[derive(Debug)]
enum Closing {
    Not,
    /// We said that nothing more comes.
    Said,
    /// The client goes on sending.
    Lingering(Pin<Box<Sleep>>, usize),
    Done,
}

impl<Socket> Wire<Socket> {
    pub(super) fn new(socket: Socket, write_stall: Duration, slot: Slot) -> Self {
        Self { socket, write_stall, waiting: None, closing: Closing::Not, _slot: slot }
    }

    /// Passes on what a write answered, unless it has waited for too long.
    fn watched<T>(&mut self, context: &mut Context<'_>, written: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.waiting = None;
            return written;
        }
        let waiting = self.waiting.get_or_insert_with(|| Box::pin(sleep(self.write_stall)));
        ready!(waiting.as_mut().poll(context));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<Socket: AsyncRead + Unpin> Wire<Socket> {
    /// Reads and throws away what the client still sends. Closing a socket with unread bytes resets it, and the reset
    /// overtakes the answer, such as 413, that the client has not read yet.
    fn poll_linger(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let mut space = [0; 16 * 1024];
        loop {
            let mut buffer = ReadBuf::new(&mut space);
            let read = Pin::new(&mut self.socket).poll_read(context, &mut buffer);
            let count = buffer.filled().len();
            match (read, &mut self.closing) {
                (Poll::Ready(Ok(())), closing) if count > 0 => {
                    if let Closing::Said = closing {
                        *closing = Closing::Lingering(Box::pin(sleep(LINGER)), 0);
                    }
                    if let Closing::Lingering(_, bytes) = closing {
                        *bytes += count;
                        if *bytes > LINGER_BYTES {
                            return Poll::Ready(());
                        }
                    }
                }
                (Poll::Pending, Closing::Lingering(end, _)) => return end.as_mut().poll(context),
                // It has sent all, or nothing that we left unread.
                _ => return Poll::Ready(()),
            }
        }
    }
}

impl<Socket: AsyncRead + Unpin> AsyncRead for Wire<Socket> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_read(context, buffer)
    }
}

impl<Socket: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Wire<Socket> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.socket).poll_write(context, bytes);
        self.watched(context, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.socket).poll_write_vectored(context, pieces);
        self.watched(context, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.socket).poll_flush(context);
        self.watched(context, flushed)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if let Closing::Not = self.closing {
            ready!(Pin::new(&mut self.socket).poll_shutdown(context))?;
            self.closing = Closing::Said;
        }
        if !matches!(self.closing, Closing::Done) {
            ready!(self.poll_linger(context));
            self.closing = Closing::Done;
        }
        Poll::Ready(Ok(()))
    }
}
