//! Many writers, few transactions: what several tasks and threads append becomes durable together.

use std::{
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
    time::Duration,
};

use tokio::{
    runtime::Handle,
    sync::{mpsc, oneshot},
    task::JoinHandle,
    time::{Instant, timeout_at},
};

use crate::{Entry, ResultLog, StoreError};

/// A batch closes this long after its first entries came.
const PATIENCE: Duration = Duration::from_millis(5);
/// Or when it holds this many results.
const RESULTS: usize = 256;
/// Or this many entries of any kind.
const ENTRIES: usize = 4096;
/// Calls of `append` that may wait for a transaction; further ones wait for room.
const QUEUE: usize = 1024;

/// A handle on the task that commits. Clones append to the same task.
///
/// A batch closes 5 ms after its first entries were appended or at 256 results, whichever comes first; what came while
/// another was being committed is taken at once. When a commit fails, the first of those who wait is told why, everyone else
/// gets [`StoreError::Closed`], and nothing more is written.
#[derive(Clone, Debug)]
pub struct Appender {
    queue: mpsc::Sender<Request>,
    task: Arc<Mutex<Option<Task>>>,
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
        let task = runtime.spawn(Committer { log, requests, next: None }.run());
        Self { queue, task: Arc::new(Mutex::new(Some(task))) }
    }

    /// Hands entries over, all for one transaction, in this order after those appended before. Waits for room.
    pub async fn append(&self, entries: Vec<Entry>) -> Pending {
        let (request, pending) = waiting(entries);
        // Where the task has ended, the request is dropped, and with it what `pending` waits for.
        self.queue.send(request).await.ok();
        pending
    }

    /// As [`Self::append`], for threads outside the runtime; within it, this panics.
    pub fn append_blocking(&self, entries: Vec<Entry>) -> Pending {
        let (request, pending) = waiting(entries);
        self.queue.blocking_send(request).ok();
        pending
    }

    /// Commits what was appended before and ends the task; later entries are refused. An error says that
    /// something was not written: what failed, where nobody else was told.
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

fn waiting(entries: Vec<Entry>) -> (Request, Pending) {
    let (sender, done) = oneshot::channel();
    (Request::Append(Waiting { entries, since: Instant::now(), done: sender }), Pending { done })
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
}

#[derive(Default)]
struct Batch {
    entries: Vec<Entry>,
    waiting: Vec<Done>,
    results: usize,
    /// Nothing comes after it.
    last: bool,
}

impl Batch {
    fn is_full(&self) -> bool {
        self.last || self.results >= RESULTS || self.entries.len() >= ENTRIES
    }

    fn add(&mut self, waiting: Waiting) {
        self.results += results(&waiting.entries);
        self.entries.extend(waiting.entries);
        self.waiting.push(waiting.done);
    }
}

/// Tells the first who listens; everyone else learns from their sender being dropped. What is left to say.
fn told_first(waiting: impl Iterator<Item = Done>, error: StoreError) -> StoreError {
    let mut outcome = Err(error);
    for done in waiting {
        match done.send(outcome) {
            Ok(()) => return StoreError::Closed,
            Err(back) => outcome = back,
        }
    }
    outcome.err().unwrap_or(StoreError::Closed)
}

fn results(entries: &[Entry]) -> usize {
    entries.iter().filter(|entry| matches!(entry, Entry::Analysed { .. })).count()
}

impl Committer {
    async fn run(mut self) -> Result<(), StoreError> {
        loop {
            let batch = self.batch().await;
            let waiting = batch.waiting.into_iter();
            if !batch.entries.is_empty()
                && let Err(error) = self.log.commit(&batch.entries).await
            {
                self.requests.close();
                return Err(told_first(waiting, error));
            }
            // Whoever dropped their end does not want to know.
            waiting.for_each(|done| drop(done.send(Ok(()))));
            if batch.last {
                return Ok(());
            }
        }
    }

    /// Waits for the first entries, then for as long as there is room and time.
    async fn batch(&mut self) -> Batch {
        let mut batch = Batch::default();
        let first = match self.next.take() {
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

    async fn request(&mut self) -> Option<Waiting> {
        match self.requests.recv().await {
            Some(Request::Append(waiting)) => Some(waiting),
            Some(Request::Close) | None => None,
        }
    }
}
