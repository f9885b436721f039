//! What is kept in memory of each stream for its viewers: their sessions, and its newest update in the words of contract 3.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use axum::extract::ws::Utf8Bytes;
use ocelli_engine::{FrameNews, LookNews, News, Update};
use ocelli_model::StreamId;
use ocelli_store::RunId;
use tokio::time::Instant;

use super::{
    analysis::{Analysis, Seen},
    message::AnalyzerMessage,
    moments::Moments,
    sessions::Sessions,
};
use crate::{failure::Failure, state::Shared};

/// What is known of a run's wall time is read again after this long: words on it come late.
const MOMENTS_HOLD: Duration = Duration::from_secs(20);

/// One desk per stream that anybody watched. Bounded by the streams there are: see [`Desks::of`].
#[derive(Debug, Default)]
pub(crate) struct Desks {
    known: Mutex<HashMap<StreamId, Arc<Desk>>>,
    /// Streams that are being created: one after the other, so that each finds a number of its own.
    pub(super) creating: tokio::sync::Mutex<()>,
    /// Streams that are being stopped, and how many asked for it.
    stopping: Mutex<HashMap<StreamId, usize>>,
}

/// A stream is being stopped, until dropped.
#[derive(Debug)]
pub(super) struct Stopping {
    shared: Arc<Shared>,
    id: StreamId,
}

#[derive(Debug, Default)]
pub(super) struct Desk {
    sessions: Mutex<Sessions>,
    told: tokio::sync::Mutex<Told>,
}

#[derive(Debug, Default)]
struct Told {
    /// The newest update that somebody was told: made once for all.
    newest: Option<(Arc<Update>, Arc<[Utf8Bytes]>)>,
    moments: Option<(RunId, Instant, Option<Moments>)>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Desks {
    /// The desk of a stream that is there.
    pub(super) fn of(&self, shared: &Shared, id: &StreamId) -> Arc<Desk> {
        let mut desks = lock(&self.known);
        if let Some(desk) = desks.get(id) {
            return Arc::clone(desk);
        }
        // Those of streams that were deleted otherwise than here go now.
        desks.retain(|known, _| shared.state.engine.status(known).is_ok());
        Arc::clone(desks.entry(id.clone()).or_default())
    }

    /// What viewers left, if any.
    pub(super) fn sessions(&self, id: &StreamId) -> Sessions {
        let desk = lock(&self.known).get(id).cloned();
        desk.map(|desk| desk.sessions()).unwrap_or_default()
    }

    pub(super) fn forget(&self, id: &StreamId) {
        lock(&self.known).remove(id);
    }

    pub(super) fn is_stopping(&self, id: &StreamId) -> bool {
        lock(&self.stopping).contains_key(id)
    }

    pub(super) fn stopping(shared: &Arc<Shared>, id: &StreamId) -> Stopping {
        *lock(&shared.desks.stopping).entry(id.clone()).or_default() += 1;
        Stopping { shared: Arc::clone(shared), id: id.clone() }
    }
}

impl Drop for Stopping {
    fn drop(&mut self) {
        let mut stopping = lock(&self.shared.desks.stopping);
        if let Some(count) = stopping.get_mut(&self.id) {
            *count -= 1;
            if *count == 0 {
                stopping.remove(&self.id);
            }
        }
    }
}

impl Desk {
    pub(super) fn sessions(&self) -> Sessions {
        lock(&self.sessions).clone()
    }

    /// Makes a viewer's session the current one. `newest` is the last analysis before.
    pub(super) fn enter(&self, session: &str, newest: Option<(u32, i64)>) {
        lock(&self.sessions).enter(session, newest);
    }

    /// The messages of a frame: one for each model that looked. May be dropped without harm.
    pub(super) async fn messages(
        &self,
        shared: &Shared,
        stream: &StreamId,
        update: &Arc<Update>,
    ) -> Arc<[Utf8Bytes]> {
        let News::Frame(news) = &update.news else { return Arc::new([]) };
        let mut told = self.told.lock().await;
        if let Some((known, texts)) = &told.newest
            && Arc::ptr_eq(known, update)
        {
            return Arc::clone(texts);
        }
        if news.looks.iter().any(|look| matches!(look.news, LookNews::Seen(..))) {
            told.look_up(shared, stream, news.run_id).await;
        }
        let moments = told.moments.as_ref().and_then(|(.., moments)| moments.as_ref());
        let texts: Arc<[Utf8Bytes]> = self.texts(stream, news, moments).into();
        // Who is behind does not take it from those who are not.
        if told.newest.as_ref().is_none_or(|(known, _)| known.seq < update.seq) {
            told.newest = Some((Arc::clone(update), Arc::clone(&texts)));
        }
        texts
    }

    fn texts(&self, stream: &StreamId, news: &FrameNews, moments: Option<&Moments>) -> Vec<Utf8Bytes> {
        let sessions = lock(&self.sessions);
        let session = sessions.of(news.run, news.pts);
        let seen = news.looks.iter().filter_map(|look| match &look.news {
            LookNews::Unseen(..) => None,
            LookNews::Seen(result, tracks) => Some(Analysis::of(Seen {
                stream,
                session,
                run: news.run,
                pts: news.pts,
                time_base: news.time_base,
                moments,
                model: &look.model,
                version: &look.version,
                result,
                tracks,
            })),
        });
        seen.map(|analysis| AnalyzerMessage::AnalysisUpdate { analysis: Box::new(analysis) }.text()).collect()
    }
}

impl Told {
    /// What is known of the wall time of this run, unless that was read lately.
    async fn look_up(&mut self, shared: &Shared, stream: &StreamId, run: Option<RunId>) {
        let Some(run) = run else {
            self.moments = None;
            return;
        };
        let is_fresh =
            |(known, read, _): &(RunId, Instant, _)| *known == run && read.elapsed() < MOMENTS_HOLD;
        if self.moments.as_ref().is_some_and(is_fresh) {
            return;
        }
        let found: Result<_, Failure> = Moments::of_run(shared, stream, run).await;
        // The store was complained of where it failed; the analysis is told without.
        self.moments = Some((run, Instant::now(), found.unwrap_or_default()));
    }
}
