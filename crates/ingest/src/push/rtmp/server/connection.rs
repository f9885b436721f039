//! One publisher.

use std::{net::SocketAddr, sync::Arc};

use bytes::BytesMut;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::{Duration, Instant, timeout, timeout_at},
};

use super::{
    super::{
        super::{
            Admitted, Ending,
            feed::Item,
            hub::{NotNow, Publication},
        },
        flv::FlvError,
        session::{Event, RtmpError, Session},
        units::{Counts, Units},
    },
    Shared,
    name::Name,
};

/// Read at once.
const READ: usize = 32 << 10;
/// What is read, and how long, to let a publisher hear why it is sent away: with bytes unread, closing would cut the word off.
const FAREWELL: (usize, Duration) = (4 << 20, Duration::from_secs(2));

/// Why a connection ended before it was a publish.
#[derive(Debug, thiserror::Error)]
enum Away {
    #[error("it left")]
    Left,
    #[error("nothing was published within {} s", .0.as_secs_f64())]
    Silent(Duration),
    #[error(transparent)]
    Protocol(#[from] RtmpError),
}

pub(super) struct Connection {
    stream: TcpStream,
    peer: SocketAddr,
    shared: Arc<Shared>,
    session: Session,
    input: BytesMut,
}

impl Connection {
    pub(super) fn new(stream: TcpStream, peer: SocketAddr, shared: Arc<Shared>) -> Self {
        // Answers are written whole; without it, it works as well.
        drop(stream.set_nodelay(true));
        let session = Session::new(shared.config.most_message);
        Self { stream, peer, shared, session, input: BytesMut::new() }
    }

    /// Until either side ends it.
    pub(super) async fn serve(mut self, closing: impl Future<Output = bool>) {
        let mut closing = std::pin::pin!(closing);
        let patience = self.shared.config.handshake_timeout;
        let asked = tokio::select! {
            asked = timeout(patience, self.asked()) => asked.unwrap_or(Err(Away::Silent(patience))),
            _ = &mut closing => return,
        };
        let admitted = match asked {
            Ok(name) => self.admit(&name),
            Err(reason) => {
                tracing::info!(peer = %self.peer, %reason, "an RTMP connection ends without a publish");
                return;
            }
        };
        let Some((admitted, publication)) = admitted else { return self.farewell().await };
        let stream = &admitted.stream;
        tracing::info!(%stream, peer = %self.peer, on_second = ?admitted.on_second, "a publisher begins");
        self.session.begin();
        let mut publish = Publish::new(publication, self.shared.hub.options().stall_timeout);
        let ending = tokio::select! {
            biased;
            _ = &mut closing => Ending::Closed,
            ending = self.publish(&mut publish, &admitted) => ending,
        };
        publish.publication.end(ending.clone());
        let reason = ending.to_string();
        self.tell_end(&ending, &publish.units.counts, &admitted);
        self.session.refuse("NetStream.Publish.Failed", &reason);
        if ending != Ending::Broken {
            self.farewell().await;
        }
    }

    fn tell_end(&self, ending: &Ending, counts: &Counts, admitted: &Admitted) {
        let Counts { pictures, sounds, backwards, damaged, unexplained, unreadable } = *counts;
        let (stream, peer) = (&admitted.stream, self.peer);
        if matches!(ending, Ending::Left | Ending::Unread | Ending::Closed) {
            tracing::info!(%stream, %peer, reason = %ending, pictures, sounds, backwards, damaged, unexplained, unreadable, "a publish ends");
        } else {
            tracing::warn!(%stream, %peer, reason = %ending, pictures, sounds, backwards, damaged, unexplained, unreadable, "a publish ends");
        }
    }

    /// Reads until somebody asks to publish.
    async fn asked(&mut self) -> Result<String, Away> {
        loop {
            match self.session.next(&mut self.input)? {
                Some(Event::Publish(name)) => return Ok(name),
                Some(_) => {}
                None => {
                    if !self.write().await || !self.read().await {
                        return Err(Away::Left);
                    }
                }
            }
        }
    }

    /// Whether what was asked for is allowed. If not, that is said.
    fn admit(&mut self, name: &str) -> Option<(Admitted, Publication)> {
        let peer = self.peer;
        let denied = "not allowed: check stream key and secret (rtmp://HOST/live, key STREAM?secret=SECRET)";
        let Some(name) = Name::of(name) else {
            tracing::warn!(%peer, "a publish is refused: its name is too long");
            self.session.refuse("NetStream.Publish.Denied", denied);
            return None;
        };
        let admitted = self.shared.admission.admit(name.key, name.secret, peer.ip());
        let admitted = match admitted {
            Ok(admitted) => admitted,
            Err(reason) => {
                // Not the key: secrets are pasted into wrong fields.
                tracing::warn!(%peer, %reason, "a publish is refused");
                self.session.refuse("NetStream.Publish.Denied", denied);
                return None;
            }
        };
        match self.shared.hub.offer(&admitted) {
            Ok(publication) => Some((admitted, publication)),
            Err(reason @ (NotNow::NotRunning | NotNow::Taken)) => {
                tracing::warn!(stream = %admitted.stream, %peer, %reason, "a publish is refused");
                self.session.refuse("NetStream.Publish.BadName", &reason.to_string());
                None
            }
        }
    }

    /// Until the publish is over, for whatever reason.
    async fn publish(&mut self, publish: &mut Publish, admitted: &Admitted) -> Ending {
        loop {
            match self.session.next(&mut self.input) {
                Ok(Some(event)) => {
                    if let Err(ending) = publish.event(event, admitted).await {
                        return ending;
                    }
                    continue;
                }
                Ok(None) => {}
                Err(error) => return Ending::Protocol(error.to_string()),
            }
            if !self.write().await {
                return Ending::Broken;
            }
            // Whatever keeps the connection busy, it is no progress.
            let deadline = publish.deadline();
            if Instant::now() >= deadline {
                return publish.stalled();
            }
            tokio::select! {
                biased;
                ending = publish.publication.over() => return ending,
                read = timeout_at(deadline, self.read()) => match read {
                    Ok(true) => {}
                    Ok(false) => return Ending::Broken,
                    Err(_elapsed) => return publish.stalled(),
                },
            }
        }
    }

    /// Whether there was anything. Dropping the future loses nothing.
    async fn read(&mut self) -> bool {
        self.input.reserve(READ);
        matches!(self.stream.read_buf(&mut self.input).await, Ok(1..))
    }

    /// Sends what is to be said. False where nobody listens.
    async fn write(&mut self) -> bool {
        let output = self.session.take_output();
        if output.is_empty() {
            return true;
        }
        let written = timeout(self.shared.config.write_timeout, self.stream.write_all(&output)).await;
        matches!(written, Ok(Ok(())))
    }

    /// Says the last word, and waits until it was heard.
    async fn farewell(mut self) {
        if !self.write().await || self.stream.shutdown().await.is_err() {
            return;
        }
        let (mut left, patience) = FAREWELL;
        let deadline = Instant::now() + patience;
        let until_heard = async {
            while left > 0 && self.read().await {
                left = left.saturating_sub(self.input.len());
                self.input.clear();
            }
        };
        timeout_at(deadline, until_heard).await.ok();
    }
}

/// A publish that goes on.
struct Publish {
    publication: Publication,
    units: Units,
    stall_timeout: Duration,
    /// When media time last went on.
    progress: Instant,
    /// The newest picture's time.
    newest: Option<i64>,
}

impl Publish {
    fn new(publication: Publication, stall_timeout: Duration) -> Self {
        Self { publication, units: Units::new(), stall_timeout, progress: Instant::now(), newest: None }
    }

    fn deadline(&self) -> Instant {
        self.progress + self.stall_timeout
    }

    fn stalled(&self) -> Ending {
        let Counts { pictures, unexplained, .. } = self.units.counts;
        if pictures == 0 && unexplained > 0 {
            Ending::Unexplained
        } else {
            Ending::Stalled(self.stall_timeout)
        }
    }

    async fn event(&mut self, event: Event, admitted: &Admitted) -> Result<(), Ending> {
        let before = self.units.counts;
        let item = match event {
            Event::Video(time, payload) => {
                self.units.video(time, payload).map(|unit| unit.map(Item::Picture))
            }
            Event::Audio(time, payload) => self.units.audio(time, payload).map(|unit| unit.map(Item::Sound)),
            Event::Values(payload) => {
                self.units.announce(&payload);
                Ok(None)
            }
            Event::Unpublish => return Err(Ending::Left),
            Event::Publish(_) => return Ok(()),
        };
        self.tell(&before, item.as_ref().err(), admitted);
        match item {
            Ok(Some(item)) => self.push(item).await,
            Err(error) if error.is_lasting() => Err(Ending::Unsupported(error.to_string())),
            Ok(None) | Err(_) => Ok(()),
        }
    }

    async fn push(&mut self, item: Item) -> Result<(), Ending> {
        let time = match &item {
            Item::Picture(unit) => unit.dts,
            Item::Sound(_) => None,
        };
        let waits_since = Instant::now();
        if self.publication.push(item).await? {
            // Not the publisher's fault.
            self.progress += waits_since.elapsed();
        }
        if time.is_some() && time != self.newest {
            self.newest = time;
            self.progress = Instant::now();
        }
        Ok(())
    }

    /// Says what is wrong for the first time: the end of the publish has the numbers.
    fn tell(&self, before: &Counts, error: Option<&FlvError>, admitted: &Admitted) {
        let (now, stream) = (self.units.counts, &admitted.stream);
        let first = |of: fn(&Counts) -> u64| of(before) == 0 && of(&now) == 1;
        if let Some(error) = error.filter(|_| first(|counts| counts.unreadable)) {
            tracing::warn!(%stream, %error, "what a publisher sends cannot be read in part");
            self.publication.damage(|| format!("parts of what was published cannot be read: {error}"));
        }
        if first(|counts| counts.damaged) {
            tracing::warn!(%stream, "a published picture is damaged");
            self.publication.damage(|| "published pictures are damaged".to_owned());
        }
        if first(|counts| counts.unexplained) {
            tracing::warn!(%stream, "a publisher sends media before its parameters; it is left out");
        }
        if first(|counts| counts.backwards) {
            tracing::warn!(%stream, "the times of a publisher step back");
        }
    }
}
