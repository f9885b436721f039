//! The WebSocket of contract 3: one client, any number of streams.

use std::{
    collections::{HashMap, VecDeque},
    future,
    sync::Arc,
    time::Duration,
};

use axum::{
    Extension,
    extract::{
        State, WebSocketUpgrade,
        ws::{Message, Utf8Bytes, rejection::WebSocketUpgradeRejection},
    },
    response::Response,
};
use futures_util::{
    StreamExt as _,
    stream::{self, AbortHandle, BoxStream, SelectAll},
};
use ocelli_engine::{Follower, LookNews, Missed, News, Update};
use ocelli_model::StreamId;
use tokio::time::timeout;

use super::{
    ErrorBody,
    analysis::Analysis,
    list::of_session,
    message::{AnalyzerMessage, Said, read},
    sessions::Stretch,
    stored::{Question, newest},
};
use crate::{
    access::{Caller, Role},
    failure::{Failure, Refused},
    live::{Feed, accept},
    serving::Draining,
    state::Shared,
};

/// Longest message that a client may send; one beyond ends the connection.
const LONGEST_INCOMING: usize = 64 << 10;
/// Analyses that a client is told when it subscribes.
const RECENT: usize = 5;
/// Analyses that a client may wait for at once.
const MOST_REQUESTS: usize = 16;
/// How long an analysis that was asked for may take before the newest there is does.
const PATIENCE: Duration = Duration::from_secs(3);

/// Follows analyses live
///
/// A WebSocket. The client sends `{"type":"subscribe","stream_id":…,"session_id"?:…}`, `unsubscribe`, `request_analysis` and
/// `ping`; the server says what `AnalyzerMessage` shows. `request_analysis` has the next picture looked at, whether anything moves
/// or not, and is answered by its analysis; where none comes within 3 s, by the newest there is. What makes no sense is answered by
/// an `error`, and the connection goes on; a message beyond 64 kB ends it. The server pings as for `/api/v1/live`.
#[utoipa::path(get, path = "/ws/stream/", operation_id = "watch_streams", tag = "media analyzer",
    responses(
        (status = 101, description = "Messages follow", body = AnalyzerMessage),
        (status = 426, description = "Not a WebSocket client", body = ErrorBody),
    ),
    extensions(("x-role" = json!("viewer")), ("x-stream" = json!("list"))))]
pub(super) async fn watch(
    State(shared): State<Arc<Shared>>,
    caller: Caller,
    draining: Option<Extension<Draining>>,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, Refused> {
    caller.require(Role::Viewer, None)?;
    let watch = Watch::new(&shared, caller.clone());
    let draining = draining.map(|Extension(draining)| draining);
    Ok(accept(&shared, caller, upgrade, watch, draining, LONGEST_INCOMING)?)
}

/// Something about one stream.
enum Heard {
    Update(Arc<Update>),
    Missed(u64),
    Deleted,
    /// What came of a request: an update that is about to be told to whoever subscribed, or nothing new.
    Answer(Option<Arc<Update>>),
}

/// One client.
struct Watch {
    shared: Arc<Shared>,
    caller: Caller,
    /// Ends the updates of a stream.
    followed: HashMap<StreamId, AbortHandle>,
    requests: usize,
    streams: SelectAll<BoxStream<'static, (StreamId, Heard)>>,
    /// Taken, and not yet told: so that whoever waits may stop waiting.
    hand: Option<(StreamId, Heard)>,
    ready: VecDeque<(StreamId, Utf8Bytes)>,
}

impl Feed for Watch {
    async fn next(&mut self) -> Option<Message> {
        loop {
            if let Some((_, text)) = self.ready.pop_front() {
                return Some(Message::Text(text));
            }
            if self.hand.is_none() {
                // An empty one is at its end at once.
                self.hand = match self.streams.next().await {
                    Some(heard) => Some(heard),
                    None => future::pending().await,
                };
            }
            let Some((id, heard)) = &self.hand else { continue };
            let texts = texts(&self.shared, self.followed.contains_key(id), id, heard).await;
            let Some((id, heard)) = self.hand.take() else { continue };
            match heard {
                Heard::Deleted => {
                    self.followed.remove(&id);
                    self.shared.desks.forget(&id);
                }
                Heard::Answer(_) => self.requests -= 1,
                Heard::Update(_) | Heard::Missed(_) => {}
            }
            self.ready.extend(texts.into_iter().map(|text| (id.clone(), text)));
        }
    }

    async fn hear(&mut self, said: Message) -> Option<Message> {
        let asked = match said {
            Message::Text(text) => read(&text),
            _ => Err("send text".to_owned()),
        };
        let answer = match asked {
            Ok(Said::Ping { timestamp }) => Ok(Some(AnalyzerMessage::Pong { timestamp }.text())),
            Ok(Said::Subscribe { stream, session }) => self.subscribe(stream, session).await,
            Ok(Said::Unsubscribe { stream }) => {
                self.unsubscribe(&stream);
                Ok(None)
            }
            Ok(Said::RequestAnalysis { stream }) => self.request(stream).map(|()| None),
            Err(message) => Err(message),
        };
        answer.unwrap_or_else(|message| Some(AnalyzerMessage::error(message))).map(Message::Text)
    }
}

impl Watch {
    fn new(shared: &Arc<Shared>, caller: Caller) -> Self {
        Self {
            shared: Arc::clone(shared),
            caller,
            followed: HashMap::new(),
            requests: 0,
            streams: SelectAll::new(),
            hand: None,
            ready: VecDeque::new(),
        }
    }

    /// From now on the client hears of this stream; the answer tells of what was before.
    async fn subscribe(
        &mut self,
        stream: StreamId,
        session: Option<String>,
    ) -> Result<Option<Utf8Bytes>, String> {
        self.may_see(&stream)?;
        let most = self.shared.state.settings.live.most_streams;
        if self.followed.len() >= most && !self.followed.contains_key(&stream) {
            return Err(format!("one connection follows at most {most} streams; unsubscribe from one"));
        }
        // Before anything is read: what comes in between is told twice rather than not at all.
        let follower = self.shared.state.engine.follow(&stream).map_err(|error| error.to_string())?;
        let analyses = recent(&self.shared, &stream, session.as_deref()).await;
        let analyses = analyses.map_err(Failure::words)?;
        let (updates, handle) = stream::abortable(stream::unfold(Some(follower), heard));
        if let Some(before) = self.followed.insert(stream.clone(), handle) {
            before.abort();
        }
        let id = stream.clone();
        self.streams.push(updates.map(move |heard| (id.clone(), heard)).boxed());
        let recent = AnalyzerMessage::RecentAnalysis { stream_id: stream, session_id: session, analyses };
        let is_empty =
            matches!(&recent, AnalyzerMessage::RecentAnalysis { analyses, .. } if analyses.is_empty());
        Ok((!is_empty).then(|| recent.text()))
    }

    /// Nothing more is told of it, not even what is at hand.
    fn unsubscribe(&mut self, stream: &StreamId) {
        if let Some(updates) = self.followed.remove(stream) {
            updates.abort();
            self.ready.retain(|(id, _)| id != stream);
            self.hand.take_if(|(id, heard)| id == stream && !matches!(heard, Heard::Answer(_)));
        }
    }

    fn request(&mut self, stream: StreamId) -> Result<(), String> {
        self.may_see(&stream)?;
        if self.requests >= MOST_REQUESTS {
            return Err(format!("{MOST_REQUESTS} analyses are being waited for; ask again once they came"));
        }
        let engine = &self.shared.state.engine;
        // In this order: what is looked at from here on is heard.
        let follower = engine.follow(&stream).map_err(|error| error.to_string())?;
        let comes = engine.look(&stream).map_err(|error| error.to_string())?;
        self.requests += 1;
        let answer = async move {
            let new = if comes { timeout(PATIENCE, looked(follower)).await.ok().flatten() } else { None };
            (stream, Heard::Answer(new))
        };
        self.streams.push(stream::once(answer).boxed());
        Ok(())
    }

    /// Whether the stream is there, and the client's business.
    fn may_see(&self, stream: &StreamId) -> Result<(), String> {
        self.caller.require(Role::Viewer, Some(stream)).map_err(|denied| denied.to_string())
    }
}

/// Enters the viewer's session, and gives the newest analyses: those of the session, where one was given.
async fn recent(shared: &Shared, stream: &StreamId, session: Option<&str>) -> Result<Vec<Analysis>, Failure> {
    let desk = shared.desks.of(shared, stream);
    let Some(session) = session else {
        let question = Question { stream, stretch: Stretch::ALL, start: None, limit: RECENT };
        return Ok(question.answer(shared, &desk.sessions()).await?.analyses);
    };
    if !desk.sessions().is_current(session) {
        desk.enter(session, newest(shared, stream).await?);
    }
    let sessions = desk.sessions();
    Ok(of_session(shared, stream, &sessions, session, None, RECENT).await?.analyses)
}

/// What is told of it.
async fn texts(shared: &Shared, is_followed: bool, id: &StreamId, heard: &Heard) -> Vec<Utf8Bytes> {
    match heard {
        Heard::Update(update) => shared.desks.of(shared, id).messages(shared, id, update).await.to_vec(),
        Heard::Missed(count) => {
            vec![AnalyzerMessage::Missed { stream_id: id.clone(), count: *count }.text()]
        }
        Heard::Deleted => vec![AnalyzerMessage::error(format!("stream {id} was deleted"))],
        // It comes, or came, as an update of the subscription.
        Heard::Answer(Some(_)) if is_followed => Vec::new(),
        Heard::Answer(Some(update)) => {
            shared.desks.of(shared, id).messages(shared, id, update).await.to_vec()
        }
        Heard::Answer(None) => vec![known(shared, id).await],
    }
}

/// The newest analysis that there is.
async fn known(shared: &Shared, id: &StreamId) -> Utf8Bytes {
    let sessions = shared.desks.sessions(id);
    let question = Question { stream: id, stretch: Stretch::ALL, start: None, limit: 1 };
    match question.answer(shared, &sessions).await {
        Ok(mut found) => match found.analyses.pop() {
            Some(analysis) => AnalyzerMessage::AnalysisUpdate { analysis: Box::new(analysis) }.text(),
            None => AnalyzerMessage::error(format!("no frame of stream {id} was analysed yet")),
        },
        Err(failure) => AnalyzerMessage::error(failure.words()),
    }
}

async fn heard(follower: Option<Follower>) -> Option<(Heard, Option<Follower>)> {
    let mut follower = follower?;
    Some(match follower.next().await {
        Some(Ok(update)) => (Heard::Update(update), Some(follower)),
        Some(Err(Missed(count))) => (Heard::Missed(count), Some(follower)),
        None => (Heard::Deleted, None),
    })
}

/// The next update that holds an analysis; `None` where the stream is gone.
async fn looked(mut follower: Follower) -> Option<Arc<Update>> {
    loop {
        let Ok(update) = follower.next().await? else { continue };
        if let News::Frame(frame) = &update.news
            && frame.looks.iter().any(|look| matches!(look.news, LookNews::Seen(..)))
        {
            return Some(update);
        }
    }
}
