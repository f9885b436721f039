//! What is said over the WebSocket of contract 3.

use axum::extract::ws::Utf8Bytes;
use ocelli_model::StreamId;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::analysis::Analysis;

/// What the server says.
#[derive(Debug, Serialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(crate) enum AnalyzerMessage {
    /// The answer to `ping`.
    Pong {
        /// As it was sent; null where nothing was.
        #[schema(value_type = Object)]
        timestamp: Value,
    },
    /// After `subscribe`, where there are any: up to five analyses, the newest first, of the session that was given.
    RecentAnalysis {
        #[schema(value_type = String)]
        stream_id: StreamId,
        /// As it was given.
        session_id: Option<String>,
        #[schema(value_type = Vec<Analysis>)]
        analyses: Vec<Analysis>,
    },
    /// A new analysis. It may not be durable yet.
    AnalysisUpdate {
        #[schema(value_type = Analysis)]
        analysis: Box<Analysis>,
    },
    /// The client was too slow for so many updates about the stream.
    Missed {
        #[schema(value_type = String)]
        stream_id: StreamId,
        count: u64,
    },
    /// Something the client sent makes no sense, or a stream that it followed is gone.
    Error { message: String },
}

/// What a client says.
#[derive(Debug, PartialEq)]
pub(super) enum Said {
    Ping { timestamp: Value },
    Subscribe { stream: StreamId, session: Option<String> },
    Unsubscribe { stream: StreamId },
    RequestAnalysis { stream: StreamId },
}

/// As it is written.
#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Written {
    Ping {
        #[serde(default)]
        timestamp: Value,
    },
    Subscribe {
        stream_id: StreamId,
        #[serde(default)]
        session_id: Option<String>,
    },
    Unsubscribe {
        stream_id: StreamId,
    },
    RequestAnalysis {
        stream_id: StreamId,
    },
}

impl AnalyzerMessage {
    pub(super) fn text(&self) -> Utf8Bytes {
        serde_json::to_string(self).expect("values with string keys, into memory").into()
    }

    pub(super) fn error(message: impl Into<String>) -> Utf8Bytes {
        Self::Error { message: message.into() }.text()
    }
}

/// What a message says, or what is wrong with it.
pub(super) fn read(text: &str) -> Result<Said, String> {
    let written = serde_json::from_str(text).map_err(|error| {
        let what = if error.is_data() { "the message is not valid" } else { "the message is not JSON" };
        format!("{what}: {error}")
    })?;
    Ok(match written {
        Written::Ping { timestamp } => Said::Ping { timestamp },
        Written::Subscribe { stream_id: stream, session_id } => {
            let session = session_id.filter(|session| !session.is_empty());
            if let Some(session) = &session {
                super::sessions::check(session)?;
            }
            Said::Subscribe { stream, session }
        }
        Written::Unsubscribe { stream_id: stream } => Said::Unsubscribe { stream },
        Written::RequestAnalysis { stream_id: stream } => Said::RequestAnalysis { stream },
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn messages_are_read() {
        let check = |text: &str, expected: Said| assert_eq!(read(text), Ok(expected), "{text}");
        let stream: StreamId = "cam1".parse().unwrap();
        check(r#"{"type":"ping","timestamp":1.5}"#, Said::Ping { timestamp: json!(1.5) });
        check(r#"{"type":"ping"}"#, Said::Ping { timestamp: Value::Null });
        let subscribe = |session: Option<&str>| Said::Subscribe {
            stream: stream.clone(),
            session: session.map(str::to_owned),
        };
        check(r#"{"type":"subscribe","stream_id":"cam1","more":1}"#, subscribe(None));
        check(r#"{"type":"subscribe","stream_id":"cam1","session_id":null}"#, subscribe(None));
        check(r#"{"session_id":"s","stream_id":"cam1","type":"subscribe"}"#, subscribe(Some("s")));
        check(r#"{"type":"unsubscribe","stream_id":"cam1"}"#, Said::Unsubscribe { stream: stream.clone() });
        let request = Said::RequestAnalysis { stream: stream.clone() };
        check(r#"{"type":"request_analysis","stream_id":"cam1"}"#, request);
    }

    #[test]
    fn what_makes_no_sense_is_told() {
        let long = format!(r#"{{"type":"subscribe","stream_id":"a","session_id":"{}"}}"#, "x".repeat(200));
        let deep = format!(r#"{{"type":"ping","timestamp":{}"#, "[".repeat(3000));
        let cases = [
            ("", "not JSON"),
            ("{", "not JSON"),
            ("null", "not valid"),
            ("[]", "not valid"),
            ("{}", "missing field `type`"),
            (r#"{"type":"dance"}"#, "unknown variant"),
            (r#"{"type":7}"#, "not valid"),
            (r#"{"type":"subscribe"}"#, "missing field `stream_id`"),
            (r#"{"type":"subscribe","stream_id":"../x"}"#, "stream id"),
            (r#"{"type":"subscribe","stream_id":7}"#, "not valid"),
            (&long, "1 to 128"),
            (&deep, "not JSON"),
        ];
        for (text, words) in cases {
            let told = read(text).unwrap_err();
            assert!(told.contains(words), "{text:.60}: {told}");
        }
    }
}
