//! Many HLS players of one stream.

use std::{cell::RefCell, rc::Rc, time::Duration};

use anyhow::{Context as _, Result, ensure};
use serde_json::json;
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    sync::watch,
    task::LocalSet,
    time::sleep,
};

use crate::{
    follow::println_flushed,
    http::Connection,
    playlist::{Live, read},
};

/// Players begin so many segments before the end.
const BEHIND: u64 = 3;
/// Over which the players' beginnings are spread: viewers do not all come at the same moment.
const SPREAD: Duration = Duration::from_secs(2);

/// What all players got together.
#[derive(Default)]
struct Got {
    playlists: u64,
    /// Segments, or parts where latency is low.
    pieces: u64,
    bytes: u64,
    /// Segments that had left the playlist before they were asked for.
    gaps: u64,
    /// Media that a playlist named and the server did not have.
    missing: u64,
}

/// One player, and what it is to ask for next.
struct Player {
    connection: Connection,
    path: String,
    /// Folder of the playlist, with its last stroke.
    folder: String,
    got: Rc<RefCell<Got>>,
    segment: u64,
    part: u64,
}

/// Plays until standard input ends; says `ready` when all have begun, and for each line what they got so far.
pub(crate) async fn run(address: &str, path: &str, viewers: usize, low: bool) -> Result<()> {
    let got = Rc::new(RefCell::new(Got::default()));
    let (stop, stopped) = watch::channel(false);
    let all = LocalSet::new();
    all.run_until(async {
        let mut tasks = Vec::new();
        for _ in 0..viewers {
            let player = Player::open(address, path, Rc::clone(&got)).await?;
            tasks.push(tokio::task::spawn_local(play(player, low, stopped.clone())));
            sleep(SPREAD / u32::try_from(viewers)?).await;
        }
        println_flushed("ready")?;
        let mut lines = BufReader::new(tokio::io::stdin()).lines();
        while lines.next_line().await?.is_some() {
            let Got { playlists, pieces, bytes, gaps, missing } = &*got.borrow();
            let told = json!({ "playlists": playlists, "pieces": pieces, "bytes": bytes, "gaps": gaps, "missing": missing });
            println_flushed(&told.to_string())?;
        }
        stop.send_replace(true);
        for task in tasks {
            task.await??;
        }
        Ok(())
    })
    .await
}

async fn play(mut player: Player, low: bool, mut stopped: watch::Receiver<bool>) -> Result<()> {
    let plays = async { if low { player.low().await } else { player.plain().await } };
    tokio::select! {
        ended = plays => ended,
        _ = stopped.changed() => Ok(()),
    }
}

impl Player {
    async fn open(address: &str, path: &str, got: Rc<RefCell<Got>>) -> Result<Self> {
        let mut connection = Connection::open(address).await?;
        let live = read(connection.text(path).await?)?;
        let segment = live.next().saturating_sub(BEHIND).max(live.first);
        let (folder, _) = path.rsplit_once('/').context("a path begins with a stroke")?;
        let folder = format!("{folder}/");
        Ok(Self { connection, path: path.to_owned(), folder, got, segment, part: 0 })
    }

    /// Reloads as section 6.3.4 of RFC 8216 says: after the target duration, or half of it where nothing was new.
    async fn plain(&mut self) -> Result<()> {
        loop {
            let live = read(self.connection.text(&self.path).await?)?;
            let pause = live.target_seconds;
            let (new, next, gaps) = whole(&live, self.segment);
            self.count(gaps);
            let pause = if new.is_empty() { pause / 2.0 } else { pause };
            for name in new {
                self.piece(&name).await?;
            }
            self.segment = next;
            sleep(Duration::from_secs_f64(pause)).await;
        }
    }

    /// Asks for the part that comes next and waits for it (RFC 8216bis, section 6.2.5.2).
    async fn low(&mut self) -> Result<()> {
        let live = read(self.connection.text(&self.path).await?)?;
        (self.segment, self.part) =
            live.parts.last().map_or((live.next(), 0), |(segment, part, _)| (*segment, part + 1));
        if self.segment < live.next() {
            (self.segment, self.part) = (live.next(), 0);
        }
        loop {
            let asked =
                format!("{}?_HLS_msn={}&_HLS_part={}&_HLS_skip=YES", self.path, self.segment, self.part);
            let live = read(self.connection.text(&asked).await?)?;
            let begins = (self.segment, self.part);
            let gaps =
                u64::from(live.parts.first().is_none_or(|(segment, part, _)| (*segment, *part) > begins));
            let new: Vec<_> =
                live.parts.iter().filter(|(segment, part, _)| (*segment, *part) >= begins).collect();
            ensure!(
                !new.is_empty(),
                "the playlist did not wait for part {} of segment {}",
                self.part,
                self.segment
            );
            let last = new.last().map_or(begins, |(segment, part, _)| (*segment, part + 1));
            // The segment may be whole by now.
            let last = if last.0 < live.next() { (live.next(), 0) } else { last };
            let names: Vec<String> = new.into_iter().map(|(_, _, name)| (*name).to_owned()).collect();
            self.count(gaps);
            for name in names {
                self.piece(&name).await?;
            }
            (self.segment, self.part) = last;
        }
    }

    fn count(&self, gaps: u64) {
        let mut got = self.got.borrow_mut();
        got.playlists += 1;
        got.gaps += gaps;
    }

    async fn piece(&mut self, name: &str) -> Result<()> {
        let length = self.connection.media(&format!("{}{name}", self.folder)).await?;
        let mut got = self.got.borrow_mut();
        match length {
            Some(length) => {
                got.pieces += 1;
                got.bytes += length as u64;
            }
            None => got.missing += 1,
        }
        Ok(())
    }
}

/// Whole segments from number `from` on: names, the number after them, and how many are gone.
fn whole(live: &Live<'_>, from: u64) -> (Vec<String>, u64, u64) {
    let gaps = live.first.saturating_sub(from);
    let known = from.saturating_sub(live.first).min(live.segments.len() as u64);
    let names = live.segments[known as usize..].iter().map(|name| (*name).to_owned());
    (names.collect(), live.next().max(from), gaps)
}
