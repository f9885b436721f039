//! Many followers of one stream: what each was sent, without a gap.

use std::{cell::RefCell, rc::Rc};

use anyhow::{Result, ensure};
use serde_json::json;
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    sync::watch,
    task::LocalSet,
};

use crate::socket::{Socket, seq};

/// What all followers got together.
#[derive(Default)]
struct Got {
    updates: u64,
    /// Updates between the first and the last that a follower did not get.
    gaps: u64,
    /// Messages that tell a follower that it was too slow.
    missed: u64,
}

/// Follows until standard input ends; says `ready` when all are connected, and for each line what they got so far.
pub(crate) async fn run(address: &str, path: &str, followers: usize) -> Result<()> {
    let got = Rc::new(RefCell::new(Got::default()));
    let (stop, stopped) = watch::channel(false);
    let all = LocalSet::new();
    all.run_until(async {
        let mut tasks = Vec::new();
        for _ in 0..followers {
            let socket = Socket::open(address, path).await?;
            tasks.push(tokio::task::spawn_local(follow(socket, Rc::clone(&got), stopped.clone())));
        }
        println_flushed("ready")?;
        let mut lines = BufReader::new(tokio::io::stdin()).lines();
        while lines.next_line().await?.is_some() {
            let Got { updates, gaps, missed } = &*got.borrow();
            println_flushed(&json!({ "updates": updates, "gaps": gaps, "missed": missed }).to_string())?;
        }
        ensure!(tasks.iter().all(|task| !task.is_finished()), "a follower ended early");
        stop.send_replace(true);
        for task in tasks {
            task.await??;
        }
        Ok(())
    })
    .await
}

async fn follow(mut socket: Socket, got: Rc<RefCell<Got>>, mut stopped: watch::Receiver<bool>) -> Result<()> {
    let mut last = None;
    loop {
        let message = tokio::select! {
            message = socket.next() => message?,
            _ = stopped.changed() => break,
        };
        let mut got = got.borrow_mut();
        if message.contains("\"type\":\"missed\"") {
            got.missed += 1;
        }
        // 0 is how the stream stood at first.
        let Some(seq) = seq(&message).filter(|seq| *seq > 0) else { continue };
        got.updates += 1;
        got.gaps += last.map_or(0, |last| seq.saturating_sub(last + 1));
        last = Some(seq);
    }
    socket.close().await;
    Ok(())
}

/// A line that whoever started this waits for.
pub(crate) fn println_flushed(line: &str) -> Result<()> {
    use std::io::Write as _;
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}")?;
    Ok(out.flush()?)
}
