//! One follower's connection.

use std::{future, time::Duration};

use axum::extract::ws::{CloseFrame, Message, WebSocket, close_code};
use bytes::Bytes;
use tokio::time::{MissedTickBehavior, interval, timeout};

use crate::{LiveSettings, serving::Draining};

/// How long a follower may take to read that the server ends.
const FAREWELL: Duration = Duration::from_secs(1);

/// Why a connection ends.
#[derive(Debug)]
enum End {
    /// Nothing follows.
    Over,
    /// What let the caller in holds no more.
    Revoked,
    /// The server is to stop.
    Draining,
    /// It was silent, or left messages unread, for too long.
    Slow,
    /// It is gone, or broke the rules of the protocol.
    Gone,
}

/// What a follower is sent.
pub(crate) trait Feed: Send {
    /// The next message; `None` where nothing will follow. May be dropped without loss.
    fn next(&mut self) -> impl Future<Output = Option<Message>> + Send;

    /// Takes what the follower said, text or bytes, and gives the answer, if there is one. Nothing else is read meanwhile.
    fn hear(&mut self, _said: Message) -> impl Future<Output = Option<Message>> + Send {
        // Most have nothing to say.
        future::ready(None)
    }
}

/// Serves a follower until either side has had enough.
pub(super) async fn serve(
    mut socket: WebSocket,
    mut feed: impl Feed,
    settings: LiveSettings,
    mut draining: Option<Draining>,
    holds: &(dyn Fn() -> bool + Sync),
) {
    let end = tokio::select! {
        // A follower that reads nothing does not hold the end of the server up.
        () = begun(&mut draining) => End::Draining,
        end = relay(&mut socket, &mut feed, settings, holds) => end,
    };
    let (code, reason) = match end {
        End::Over => (close_code::NORMAL, "nothing follows"),
        End::Revoked => (close_code::POLICY, "the credential has ended"),
        End::Draining => (close_code::AWAY, "the server ends"),
        // A client that reads nothing would not read the reason either.
        End::Slow | End::Gone => return,
    };
    // Whether it arrives is all the same: the connection ends either way.
    let patience = if matches!(end, End::Draining) { FAREWELL } else { settings.patience };
    let close = Message::Close(Some(CloseFrame { code, reason: reason.into() }));
    if timeout(patience, socket.send(close)).await.is_err() {
        tracing::debug!("a follower left the end of its messages unread");
        return;
    }
    // With something of it unread, the system would reset the connection, and the client lose what was just sent.
    let goodbye = async { while let Some(Ok(_)) = socket.recv().await {} };
    timeout(FAREWELL, goodbye).await.ok();
}

async fn begun(draining: &mut Option<Draining>) {
    match draining {
        Some(draining) => draining.begun().await,
        // Served by something that never tells.
        None => future::pending().await,
    }
}

async fn relay(
    socket: &mut WebSocket,
    feed: &mut impl Feed,
    settings: LiveSettings,
    holds: &(dyn Fn() -> bool + Sync),
) -> End {
    let mut unanswered = 0;
    let mut ping = interval(settings.ping);
    ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let message = tokio::select! {
            incoming = socket.recv() => match incoming {
                Some(Ok(Message::Close(_)) | Err(_)) | None => return End::Gone,
                Some(Ok(said)) => {
                    unanswered = 0;
                    let is_said = matches!(said, Message::Text(_) | Message::Binary(_));
                    let answer = if is_said { feed.hear(said).await } else { None };
                    let Some(answer) = answer else { continue };
                    answer
                }
            },
            _ = ping.tick() => {
                // Pings, not time since something was heard: an answer may wait to be read while a message is sent.
                if settings.ping * unanswered > settings.patience {
                    return End::Slow;
                }
                unanswered += 1;
                if !holds() {
                    return End::Revoked;
                }
                Message::Ping(Bytes::new())
            }
            message = feed.next() => match message {
                Some(message) => message,
                None => return End::Over,
            },
        };
        match timeout(settings.patience, socket.send(message)).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) => return End::Gone,
            Err(_) => return End::Slow,
        }
    }
}
