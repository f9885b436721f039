//! One follower's connection.

use axum::extract::ws::{CloseFrame, Message, WebSocket, close_code};
use bytes::Bytes;
use tokio::time::{MissedTickBehavior, interval, timeout};

use super::feed::Feed;
use crate::LiveSettings;

/// Why a connection ends.
#[derive(Debug)]
enum End {
    /// Nothing follows.
    Over,
    /// What let the caller in holds no more.
    Revoked,
    /// It was silent, or left messages unread, for too long.
    Slow,
    /// It is gone, or broke the rules of the protocol.
    Gone,
}

/// Serves a follower until either side has had enough.
pub(super) async fn serve(
    mut socket: WebSocket,
    mut feed: Feed,
    settings: LiveSettings,
    holds: &(dyn Fn() -> bool + Sync),
) {
    let end = relay(&mut socket, &mut feed, settings, holds).await;
    let reason = match end {
        End::Over => CloseFrame { code: close_code::NORMAL, reason: "nothing follows".into() },
        End::Revoked => CloseFrame { code: close_code::POLICY, reason: "the credential has ended".into() },
        // A client that reads nothing would not read the reason either.
        End::Slow | End::Gone => return,
    };
    // Whether it arrives is all the same: the connection ends either way.
    if timeout(settings.patience, socket.send(Message::Close(Some(reason)))).await.is_err() {
        tracing::debug!("a follower left the end of its messages unread");
    }
}

async fn relay(
    socket: &mut WebSocket,
    feed: &mut Feed,
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
                Some(Ok(_)) => {
                    unanswered = 0;
                    continue;
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
            text = feed.next() => match text {
                Some(text) => Message::Text(text),
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
