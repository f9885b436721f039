//! A server for publishers, the streams behind it, and what it says in its log.

use std::{
    fmt::Write as _,
    net::IpAddr,
    sync::{Arc, Condvar, Mutex, mpsc},
    thread::{self, JoinHandle},
    time::Duration,
};

use ocelli_ingest::{
    Source, SourceError, Stop,
    push::{
        Admission, Admitted, Ending, FeedLimits, OnSecond, PublishError, PublishHub, PublishOptions, Refusal,
        rtmp::{RtmpConfig, RtmpServer},
    },
};
use ocelli_media::{AccessUnit, AudioUnit};
use ocelli_model::StreamId;
use tokio::sync::oneshot;
use tracing::{
    Event, Id, Metadata, Subscriber,
    field::{Field, Visit},
    span,
};

/// What must be in no log.
pub(crate) const SECRET: &str = "canary-secret";

/// Keys that end in `-over` let a second publisher take over; `closed` is for no network at all; `none` is no stream.
#[derive(Debug)]
struct Keys;

impl Admission for Keys {
    fn admit(&self, key: &str, secret: Option<&str>, _peer: IpAddr) -> Result<Admitted, Refusal> {
        let stream: StreamId = key.parse().map_err(|_malformed| Refusal::UnknownKey)?;
        match key {
            "none" => return Err(Refusal::UnknownKey),
            "closed" => return Err(Refusal::WrongNetwork),
            _ if secret != Some(SECRET) => return Err(Refusal::WrongSecret),
            _ => {}
        }
        let on_second = if key.ends_with("-over") { OnSecond::TakeOver } else { OnSecond::Refuse };
        Ok(Admitted { stream, on_second })
    }
}

/// Lines of a log, with their fields.
#[derive(Clone, Debug, Default)]
pub(crate) struct Log(Arc<(Mutex<String>, Condvar)>);

impl Log {
    /// Waits for a line that holds all of these words.
    pub(crate) fn wait_for(&self, words: &[&str]) -> String {
        let (text, grown) = &*self.0;
        let found = |text: &str| {
            text.lines().find(|line| words.iter().all(|word| line.contains(word))).map(str::to_owned)
        };
        let patience = Duration::from_secs(20);
        let (text, waited) =
            grown.wait_timeout_while(text.lock().unwrap(), patience, |text| found(text).is_none()).unwrap();
        assert!(!waited.timed_out(), "no line holds {words:?}:\n{text}");
        found(&text).unwrap()
    }

    pub(crate) fn text(&self) -> String {
        self.0.0.lock().unwrap().clone()
    }
}

impl Subscriber for Log {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &span::Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        struct Line(String);
        impl Visit for Line {
            fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
                write!(self.0, " {}={value:?}", field.name()).unwrap();
            }
        }
        let mut line = Line(event.metadata().level().to_string());
        event.record(&mut line);
        let (text, grown) = &*self.0;
        writeln!(text.lock().unwrap(), "{}", line.0).unwrap();
        grown.notify_all();
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

/// A server at work.
pub(crate) struct Stand {
    pub(crate) port: u16,
    pub(crate) hub: PublishHub,
    pub(crate) log: Log,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// Limits that tests can wait for.
pub(crate) fn options() -> PublishOptions {
    PublishOptions { stall_timeout: Duration::from_secs(10), ..PublishOptions::default() }
}

/// Gives up soon.
pub(crate) fn impatient() -> PublishOptions {
    let feed = FeedLimits { patience: Duration::from_millis(300), ..FeedLimits::default() };
    PublishOptions { stall_timeout: Duration::from_secs(1), feed, ..PublishOptions::default() }
}

impl Stand {
    pub(crate) fn start() -> Self {
        Self::with(options(), RtmpConfig::default())
    }

    pub(crate) fn with(options: PublishOptions, config: RtmpConfig) -> Self {
        let (hub, log) = (PublishHub::new(options), Log::default());
        let (stop, stopped) = oneshot::channel();
        let (ports, port) = mpsc::sync_channel(1);
        let thread = thread::Builder::new().name("rtmp".to_owned()).spawn({
            let (hub, log) = (hub.clone(), log.clone());
            // One thread, so that all of its log is ours.
            move || {
                tracing::subscriber::with_default(log, || {
                    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
                    runtime.block_on(async {
                        let any = ["127.0.0.1:0".parse().unwrap()];
                        let server = RtmpServer::bind(&any, config, hub, Arc::new(Keys)).unwrap();
                        ports.send(server.addresses()[0].port()).unwrap();
                        server.run(async { stopped.await.unwrap_or(()) }).await;
                    });
                });
            }
        });
        let (stop, thread) = (Some(stop), Some(thread.unwrap()));
        Self { port: port.recv().unwrap(), hub, log, stop, thread }
    }

    /// A stream that reads what is published to the key, until a publish is over.
    pub(crate) fn read(&self, key: &str) -> Reading {
        self.read_with(key, |source| Read::whole(source))
    }

    /// The same, reading in its own way.
    pub(crate) fn read_with<T: Send + 'static>(
        &self,
        key: &str,
        with: impl FnOnce(&mut dyn Source) -> T + Send + 'static,
    ) -> Reading<T> {
        let (hub, key, stop) = (self.hub.clone(), key.parse::<StreamId>().unwrap(), Stop::default());
        let thread = thread::Builder::new().spawn({
            let (hub, key, stop) = (hub.clone(), key.clone(), stop.clone());
            move || hub.accept(&key, &stop, None).map(|mut source| with(&mut source))
        });
        while !hub.is_read(&key) {
            thread::yield_now();
        }
        Reading { thread: thread.unwrap(), stop }
    }

    /// Ends the server, and waits until it is gone.
    pub(crate) fn close(&mut self) {
        self.stop.take();
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }
}

impl Drop for Stand {
    fn drop(&mut self) {
        self.stop.take();
        let ended = self.thread.take().map(JoinHandle::join);
        if !thread::panicking() {
            assert!(!matches!(ended, Some(Err(_))), "the server panicked");
            assert!(!self.log.text().contains("canary"), "{}", self.log.text());
        }
    }
}

/// A stream on its thread.
pub(crate) struct Reading<T = Read> {
    thread: JoinHandle<Result<T, SourceError>>,
    pub(crate) stop: Stop,
}

impl<T> Reading<T> {
    pub(crate) fn done(self) -> T {
        self.thread.join().unwrap().unwrap()
    }

    pub(crate) fn failed(self) -> SourceError {
        match self.thread.join().unwrap() {
            Ok(_) => panic!("somebody published"),
            Err(error) => error,
        }
    }
}

/// What came of a publish.
#[derive(Debug)]
pub(crate) struct Read {
    pub(crate) units: Vec<AccessUnit>,
    pub(crate) sounds: Vec<AudioUnit>,
    /// `None` where the publisher said so.
    pub(crate) ending: Option<SourceError>,
    pub(crate) damage: Option<String>,
}

impl Read {
    pub(crate) fn whole(source: &mut dyn Source) -> Self {
        let mut read = Self { units: Vec::new(), sounds: Vec::new(), ending: None, damage: None };
        loop {
            match source.next_unit() {
                Ok(Some(unit)) => read.units.push(unit),
                Ok(None) => break,
                Err(error) => {
                    read.ending = Some(error);
                    break;
                }
            }
            read.sounds.extend(std::iter::from_fn(|| source.next_audio()));
        }
        read.sounds.extend(std::iter::from_fn(|| source.next_audio()));
        read.damage = source.damage().map(str::to_owned);
        read
    }

    pub(crate) fn pts(&self) -> Vec<i64> {
        self.units.iter().map(|unit| unit.pts).collect()
    }

    /// How it ended, if not as the publisher said.
    pub(crate) fn end(&self) -> Ending {
        match &self.ending {
            None => Ending::Left,
            Some(SourceError::Publish(PublishError::Ended(ending))) => ending.clone(),
            Some(error) => panic!("{error:?}"),
        }
    }
}
