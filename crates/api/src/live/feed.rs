//! What one follower gets: the updates of one stream, or those of many woven together.

use std::{collections::HashSet, sync::Arc};

use axum::extract::ws::{Message, Utf8Bytes};
use futures_util::{
    StreamExt as _,
    stream::{self, BoxStream, SelectAll},
};
use ocelli_engine::{Follower, Missed, News, StreamStatus, Update};
use ocelli_model::StreamId;
use serde::{Deserialize, Deserializer, de};
use tokio::time::{Interval, MissedTickBehavior, interval};

use super::{
    message::{LiveMessage, encoded},
    socket,
};
use crate::{Engine, access::Caller, failure::Failure, state::Shared};

/// Which messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Types {
    results: bool,
    status: bool,
}

/// Something about one stream.
#[derive(Debug)]
enum Heard {
    Standing(Box<StreamStatus>),
    Update(Arc<Update>),
    Missed(u64),
    Deleted,
}

/// Updates for one follower.
pub(super) struct Updates {
    types: Types,
    streams: SelectAll<BoxStream<'static, (StreamId, Heard)>>,
    /// Where all streams are followed.
    scope: Option<Scope>,
}

/// Which streams are followed, of all there are.
struct Scope {
    shared: Arc<Shared>,
    caller: Caller,
    known: HashSet<StreamId>,
    look: Interval,
}

impl Default for Types {
    fn default() -> Self {
        Self { results: true, status: true }
    }
}

impl<'de> Deserialize<'de> for Types {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let words = String::deserialize(deserializer)?;
        let mut types = Self { results: false, status: false };
        for word in words.split(',') {
            match word {
                "results" => types.results = true,
                "status" => types.status = true,
                _ => return Err(de::Error::custom("types: give results, status, or results,status")),
            }
        }
        Ok(types)
    }
}

impl Updates {
    pub(super) fn of_one(shared: &Shared, id: &StreamId, types: Types) -> Result<Self, Failure> {
        let streams = SelectAll::from_iter([follow(&*shared.state.engine, id)?]);
        Ok(Self { types, streams, scope: None })
    }

    pub(super) fn of_all(shared: &Arc<Shared>, caller: Caller, types: Types) -> Self {
        let mut look = interval(shared.state.settings.live.ping);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let scope = Scope { shared: Arc::clone(shared), caller, known: HashSet::new(), look };
        Self { types, streams: SelectAll::new(), scope: Some(scope) }
    }
}

impl socket::Feed for Updates {
    async fn next(&mut self) -> Option<Message> {
        loop {
            let heard = match &mut self.scope {
                None => self.streams.next().await,
                Some(scope) => tokio::select! {
                    // The first look is due at once, the others seldom: updates must not keep them away.
                    biased;
                    _ = scope.look.tick() => {
                        self.streams.extend(scope.news());
                        continue;
                    }
                    Some(heard) = self.streams.next() => Some(heard),
                },
            };
            let (id, heard) = heard?;
            if let Some(scope) = &mut self.scope
                && matches!(heard, Heard::Deleted)
            {
                scope.known.remove(&id);
            }
            if let Some(text) = self.types.text(id, heard) {
                return Some(Message::Text(text));
            }
        }
    }
}

impl Types {
    /// The message, if it is of those that were asked for.
    fn text(self, stream: StreamId, heard: Heard) -> Option<Utf8Bytes> {
        match heard {
            Heard::Standing(status) => self.status.then(|| LiveMessage::status(0, *status).text()),
            Heard::Update(update) => {
                let wanted = match update.news {
                    News::Frame(_) => self.results,
                    News::Status(_) => self.status,
                };
                wanted.then(|| encoded(&stream, &update))
            }
            Heard::Missed(count) => Some(LiveMessage::Missed { stream, count }.text()),
            Heard::Deleted => Some(LiveMessage::Deleted { stream }.text()),
        }
    }
}

impl Scope {
    /// Streams that are not followed yet, as far as there is room.
    fn news(&mut self) -> Vec<BoxStream<'static, (StreamId, Heard)>> {
        let engine = &self.shared.state.engine;
        let room = self.shared.state.settings.live.most_streams.saturating_sub(self.known.len());
        let ids = engine.list().into_iter().map(|status| status.id);
        let new = ids.filter(|id| !self.known.contains(id) && self.caller.may_see(id));
        // One that was deleted meanwhile cannot be followed.
        let followed = new.take(room).filter_map(|id| Some((follow(&**engine, &id).ok()?, id)));
        let (streams, ids): (Vec<_>, Vec<_>) = followed.unzip();
        self.known.extend(ids);
        streams
    }
}

/// How the stream stands, then what happens to it, until it is deleted.
fn follow(engine: &dyn Engine, id: &StreamId) -> Result<BoxStream<'static, (StreamId, Heard)>, Failure> {
    // In this order: what happens in between is told twice rather than not at all.
    let follower = engine.follow(id)?;
    let standing = Heard::Standing(Box::new(engine.status(id)?));
    let id = id.clone();
    let updates = stream::unfold(Some(follower), heard);
    Ok(stream::iter([standing]).chain(updates).map(move |heard| (id.clone(), heard)).boxed())
}

async fn heard(follower: Option<Follower>) -> Option<(Heard, Option<Follower>)> {
    let mut follower = follower?;
    Some(match follower.next().await {
        Some(Ok(update)) => (Heard::Update(update), Some(follower)),
        Some(Err(Missed(count))) => (Heard::Missed(count), Some(follower)),
        None => (Heard::Deleted, None),
    })
}
