//! From an access unit's arrival to its result on a WebSocket, without the server's word: the same source is read by a client of ours,
//! and RTP timestamps of shared media are the same for all its clients.

use std::{
    collections::HashMap,
    io::{self, Write as _},
    sync::{Mutex, PoisonError},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result};
use ocelli_ingest::{
    Source as _, Stop,
    pull::{RtspOptions, RtspSource, RtspUrl},
};
use serde_json::{Value, json};

use crate::{floor::policy, runtime, socket::Socket};

/// When each picture arrived, or its result did.
type Times = HashMap<i64, Instant>;

#[derive(Default)]
struct Seen {
    arrived: Times,
    told: Times,
    /// The server's own word, in milliseconds.
    said_ms: Vec<f64>,
}

/// Prints quantiles of both, in milliseconds, of all streams together.
pub(crate) fn run(address: &str, seconds: f64, streams: &[(&str, &str)]) -> Result<()> {
    let stop = Stop::default();
    let seen: Vec<Mutex<Seen>> = streams.iter().map(|_| Mutex::default()).collect();
    let listened = thread::scope(|scope| {
        let (mut receivers, mut listeners) = (Vec::new(), Vec::new());
        for ((id, url), seen) in streams.iter().zip(&seen) {
            let stop = &stop;
            receivers.push(scope.spawn(move || receive(url, stop, seen)));
            let path = format!("/api/v1/streams/{id}/live?types=results");
            let length = Duration::from_secs_f64(seconds);
            listeners.push(scope.spawn(move || runtime()?.block_on(listen(address, &path, length, seen))));
        }
        let joined = |thread: thread::ScopedJoinHandle<'_, Result<()>>| {
            thread.join().expect("a client's thread does not panic")
        };
        let listened = listeners.into_iter().try_for_each(joined);
        stop.stop();
        listened.and(receivers.into_iter().try_for_each(joined))
    });
    listened?;
    let seen = seen.into_iter().map(|seen| seen.into_inner().unwrap_or_else(PoisonError::into_inner));
    let mut out = io::stdout().lock();
    Ok(writeln!(out, "{}", report(seen))?)
}

#[expect(clippy::disallowed_methods, reason = "a benchmark reads the clock")]
fn now() -> Instant {
    Instant::now()
}

fn receive(url: &str, stop: &Stop, seen: &Mutex<Seen>) -> Result<()> {
    let url: RtspUrl = url.parse()?;
    let options = RtspOptions { stop: stop.clone(), ..RtspOptions::new(policy()?) };
    let mut source = RtspSource::open(&url, options)?;
    while !stop.is_asked() {
        match source.next_unit() {
            Ok(Some(unit)) => {
                seen.lock().unwrap_or_else(PoisonError::into_inner).arrived.insert(unit.pts, now());
            }
            Ok(None) => break,
            Err(_) if stop.is_asked() => break,
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

async fn listen(address: &str, path: &str, length: Duration, seen: &Mutex<Seen>) -> Result<()> {
    let mut socket = Socket::open(address, path).await?;
    let end = now() + length;
    while now() < end {
        let message = socket.next().await?;
        let told = now();
        let message: Value = serde_json::from_str(&message)?;
        if message["looks"][0]["verdict"] != "analysed" {
            continue;
        }
        let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.told.insert(message["pts"].as_i64().context("a result has its media time")?, told);
        seen.said_ms.push(message["latency_ms"].as_f64().context("and its latency")?);
    }
    socket.close().await;
    Ok(())
}

fn report(all: impl IntoIterator<Item = Seen>) -> Value {
    let (mut waits_ms, mut said_ms) = (Vec::new(), Vec::new());
    for Seen { arrived, told, said_ms: said } in all {
        let arrival = |(pts, told): (i64, Instant)| Some((*arrived.get(&pts)?, told));
        let waits = told.into_iter().filter_map(arrival);
        // Our own client may have had it a little later than the server.
        waits_ms.extend(waits.map(|(at, told)| told.saturating_duration_since(at).as_secs_f64() * 1e3));
        said_ms.extend(said);
    }
    json!({ "pictures": waits_ms.len(), "told": said_ms.len(), "wait_ms": quantiles(waits_ms), "said_ms": quantiles(said_ms) })
}

fn quantiles(mut values: Vec<f64>) -> Value {
    values.sort_by(f64::total_cmp);
    let at =
        |share: f64| values.get(((values.len() as f64 * share) as usize).min(values.len().saturating_sub(1)));
    json!({ "p50": at(0.5), "p99": at(0.99), "most": at(1.0) })
}
