//! Many writers, few transactions: what several tasks and threads append becomes durable together.

use std::{
    future::Future,
    ops::Range,
    pin::Pin,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use tokio::{
    runtime::Handle,
    sync::{mpsc, oneshot},
    task::JoinHandle,
    time::{Instant, timeout_at},
};

use crate::{Entry, Fault, ResultLog, StoreError};

/// A batch closes this long after its first entries came.
const PATIENCE: Duration = Duration::from_millis(5);
/// Or when it holds this many results.
const RESULTS: usize = 256;
/// Or this many entries of any kind.
const ENTRIES: usize = 4096;
/// Calls of `append` that may wait for a transaction; further ones wait for room.
const QUEUE: usize = 1024;

/// A handle on the task that commits. Clones append to the same task, in the same lane.
///
/// A batch closes 5 ms after its first entries were appended or at 256 results, whichever comes first; what came while
/// another was being committed is taken at once.
///
/// When a commit fails, everyone whose entries were in it is told why, and their *lanes* end: what was appended to one before
/// or after the failure, and is not written yet, is refused with [`StoreError::Closed`], so that a verdict is never written
/// whose slots were lost. The task goes on: whoever wants to write again, when there is room or whatever it was, does so in a
/// new lane. Where some entry was not valid, only the lane that it came by ends.
#[derive(Clone, Debug)]
pub struct Appender {
    queue: mpsc::Sender<Request>,
    lane: Arc<Lane>,
    task: Arc<Mutex<Option<Task>>>,
}

/// Entries that make no sense without those before them.
#[derive(Debug, Default)]
struct Lane {
    ended: AtomicBool,
}

type Task = JoinHandle<Result<(), StoreError>>;
type Done = oneshot::Sender<Result<(), StoreError>>;

#[derive(Debug)]
enum Request {
    Append(Waiting),
    /// Whatever came before is committed, nothing after.
    Close,
}

#[derive(Debug)]
struct Waiting {
    entries: Vec<Entry>,
    since: Instant,
    lane: Arc<Lane>,
    done: Done,
}

/// Entries on their way. Resolves when they are durable, or failed. Dropped, they are written all the same.
#[derive(Debug)]
#[must_use = "entries are not durable before this says so"]
pub struct Pending {
    done: oneshot::Receiver<Result<(), StoreError>>,
}

impl Appender {
    /// Starts the task on `runtime`, which needs its timer enabled. End it with [`Self::close`].
    pub fn start(log: Arc<dyn ResultLog>, runtime: &Handle) -> Self {
        // Bounded; appending waits when it is full, nothing is dropped.
        let (queue, requests) = mpsc::channel(QUEUE);
        let task = runtime.spawn(Committer { log, requests, next: None, untold: None }.run());
        Self { queue, lane: Arc::default(), task: Arc::new(Mutex::new(Some(task))) }
    }

    /// A handle on the same task with a lane of its own, which the failures of others do not end.
    #[must_use]
    pub fn lane(&self) -> Self {
        Self { lane: Arc::default(), ..self.clone() }
    }

    /// Whether something that was appended to this lane was not written: then nothing more is.
    pub fn has_ended(&self) -> bool {
        self.lane.ended.load(Ordering::Acquire)
    }

    /// Hands entries over, all for one transaction, in this order after those appended before. Waits for room.
    pub async fn append(&self, entries: Vec<Entry>) -> Pending {
        let (request, pending) = self.waiting(entries);
        if !self.has_ended() {
            // Where the task has ended, the request is dropped, and with it what `pending` waits for.
            self.queue.send(request).await.ok();
        }
        pending
    }

    /// As [`Self::append`], for threads outside the runtime; within it, this panics.
    pub fn append_blocking(&self, entries: Vec<Entry>) -> Pending {
        let (request, pending) = self.waiting(entries);
        if !self.has_ended() {
            self.queue.blocking_send(request).ok();
        }
        pending
    }

    fn waiting(&self, entries: Vec<Entry>) -> (Request, Pending) {
        let (sender, done) = oneshot::channel();
        let lane = Arc::clone(&self.lane);
        (Request::Append(Waiting { entries, since: Instant::now(), lane, done: sender }), Pending { done })
    }

    /// Commits what was appended before and ends the task; later entries are refused. An error is the first that nobody was
    /// told: something was not written, and whoever appended it did not listen.
    pub async fn close(&self) -> Result<(), StoreError> {
        self.queue.send(Request::Close).await.ok();
        let task = self.task.lock().unwrap_or_else(PoisonError::into_inner).take();
        match task {
            None => Ok(()),
            Some(task) => match task.await {
                Ok(ended) => ended,
                Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
                // The runtime is going down.
                Err(_) => Err(StoreError::Closed),
            },
        }
    }
}

impl Pending {
    /// The outcome, if it is known by now. After it was given once, [`StoreError::Closed`].
    pub fn try_ready(&mut self) -> Option<Result<(), StoreError>> {
        match self.done.try_recv() {
            Ok(outcome) => Some(outcome),
            Err(oneshot::error::TryRecvError::Empty) => None,
            Err(oneshot::error::TryRecvError::Closed) => Some(Err(StoreError::Closed)),
        }
    }

    /// Waits, on a thread outside the runtime; within it, this panics.
    pub fn wait_blocking(self) -> Result<(), StoreError> {
        self.done.blocking_recv().unwrap_or(Err(StoreError::Closed))
    }
}

impl Future for Pending {
    type Output = Result<(), StoreError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.done).poll(context).map(|outcome| outcome.unwrap_or(Err(StoreError::Closed)))
    }
}

struct Committer {
    log: Arc<dyn ResultLog>,
    requests: mpsc::Receiver<Request>,
    /// Did not fit into the batch before.
    next: Option<Waiting>,
    /// The first failure of which nobody was told.
    untold: Option<StoreError>,
}

#[derive(Default)]
struct Batch {
    entries: Vec<Entry>,
    waiting: Vec<Share>,
    results: usize,
    /// Nothing comes after it.
    last: bool,
}

/// What one call appended to a batch.
struct Share {
    entries: Range<usize>,
    lane: Arc<Lane>,
    done: Done,
}

impl Batch {
    fn is_full(&self) -> bool {
        self.last || self.results >= RESULTS || self.entries.len() >= ENTRIES
    }

    fn add(&mut self, waiting: Waiting) {
        self.results += results(&waiting.entries);
        let before = self.entries.len();
        self.entries.extend(waiting.entries);
        let entries = before..self.entries.len();
        self.waiting.push(Share { entries, lane: waiting.lane, done: waiting.done });
    }
}

fn results(entries: &[Entry]) -> usize {
    entries.iter().filter(|entry| matches!(entry, Entry::Analysed { .. })).count()
}

impl Committer {
    async fn run(mut self) -> Result<(), StoreError> {
        loop {
            let batch = self.batch().await;
            let last = batch.last;
            self.commit(batch).await;
            if last {
                return self.untold.map_or(Ok(()), Err);
            }
        }
    }

    async fn commit(&mut self, batch: Batch) {
        let written = if batch.entries.is_empty() { Ok(()) } else { self.log.commit(&batch.entries).await };
        match written {
            // Somebody's entries are not valid: the others are not to suffer for it.
            Err(error) if error.fault() == Fault::Caller && batch.waiting.len() > 1 => {
                for share in batch.waiting {
                    let written = if share.lane.ended.load(Ordering::Acquire) {
                        Err(StoreError::Closed)
                    } else {
                        self.log.commit(&batch.entries[share.entries.clone()]).await
                    };
                    self.tell(share, written);
                }
            }
            written => batch.waiting.into_iter().for_each(|share| self.tell(share, written.clone())),
        }
    }

    fn tell(&mut self, share: Share, written: Result<(), StoreError>) {
        if written.is_err() {
            // First: whoever is told can rely on it.
            share.lane.ended.store(true, Ordering::Release);
        }
        // Whoever dropped their end does not want to know that all went well.
        if let Err(Err(error)) = share.done.send(written)
            && !matches!(error, StoreError::Closed)
        {
            self.untold.get_or_insert(error);
        }
    }

    /// Waits for the first entries, then for as long as there is room and time.
    async fn batch(&mut self) -> Batch {
        let mut batch = Batch::default();
        let first = match self.next.take().filter(|next| !next.lane.ended.load(Ordering::Acquire)) {
            Some(next) => Some(next),
            None => self.request().await,
        };
        let Some(first) = first else {
            batch.last = true;
            return batch;
        };
        let until = first.since + PATIENCE;
        batch.add(first);
        while !batch.is_full() {
            // What is queued already is taken even when time is up: the queue is looked at first.
            match timeout_at(until, self.request()).await {
                Ok(Some(more)) if batch.results + results(&more.entries) > RESULTS => {
                    self.next = Some(more);
                    break;
                }
                Ok(Some(more)) => batch.add(more),
                Ok(None) => batch.last = true,
                Err(_elapsed) => break,
            }
        }
        batch
    }

    /// The next whose lane has not ended meanwhile; what waits for the others learns from its sender being dropped.
    async fn request(&mut self) -> Option<Waiting> {
        loop {
            match self.requests.recv().await {
                Some(Request::Append(waiting)) if waiting.lane.ended.load(Ordering::Acquire) => {}
                Some(Request::Append(waiting)) => return Some(waiting),
                Some(Request::Close) | None => return None,
            }
        }
    }
}
