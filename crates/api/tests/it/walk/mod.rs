//! Walks every route of an OpenAPI document with every role, with and without a limit to another stream, and compares what
//! happens with what the document promises. It knows no route by name.
//!
//! Make [`Tokens`] before the router's `Access` is opened on their file; then [`walk`].

mod asking;
mod proof;

use std::path::Path;

use axum::{Router, body::HttpBody as _, http::StatusCode, response::Response};
use ocelli_api::access::{NewToken, Role, StreamScope, TokenFile};
use serde_json::Value;
use tower::ServiceExt as _;

use self::asking::{Operation, operations, request};

/// A stream that nobody has and that some callers are limited to.
const ELSEWHERE: &str = "walk-elsewhere";

/// One caller of each kind.
pub(crate) struct Tokens {
    callers: Vec<Caller>,
}

/// Somebody with a role, on all streams or on another one.
#[derive(Clone, Debug)]
struct Caller {
    role: Option<Role>,
    limited: bool,
    token: Option<String>,
}

impl Tokens {
    /// Tokens in this file, which must be the one of the router's configuration.
    pub(crate) fn make(path: &Path) -> Self {
        let file = TokenFile::open(path).unwrap();
        let mut callers = vec![Caller { role: None, limited: false, token: None }];
        for role in Role::ALL {
            for limited in [false, true] {
                let streams = StreamScope::of(limited.then_some(&[ELSEWHERE])).unwrap();
                let name = format!("walk {role} {limited}");
                let (_record, token) =
                    file.create(NewToken { name, role, streams, expires_ms: None }, 0).unwrap();
                callers.push(Caller { role: Some(role), limited, token: Some(token.reveal().to_owned()) });
            }
        }
        Self { callers }
    }
}

/// What must happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Expected {
    Unauthorized,
    Forbidden,
    /// Anything but a refusal: the handler decides.
    Allowed,
}

fn expected(operation: &Operation<'_>, caller: &Caller) -> Expected {
    let Some(needed) = operation.role else { return Expected::Allowed };
    let Some(role) = caller.role else { return Expected::Unauthorized };
    let named = !matches!(operation.stream, "none" | "list");
    if role < needed || (caller.limited && named) { Expected::Forbidden } else { Expected::Allowed }
}

/// Everything that is not as the document promises. `stream` exists, if the router's engine has any: no answer to a caller
/// who is limited to another may hold its name. Requests that change something come last.
pub(crate) async fn walk(router: &Router, document: &Value, tokens: &Tokens, stream: &str) -> Vec<String> {
    let mut operations = operations(document);
    operations.sort_by_key(|operation| operation.method != "get");
    let mut problems = Vec::new();
    if operations.is_empty() {
        problems.push("the document has no routes".to_owned());
    }
    for operation in &operations {
        for caller in &tokens.callers {
            let asked = request(operation, caller.token.as_deref(), stream);
            let answer = router.clone().oneshot(asked).await.unwrap();
            let expected = expected(operation, caller);
            if let Some(problem) = judge(answer, expected, caller, stream).await {
                let Operation { method, path, .. } = operation;
                let Caller { role, limited, .. } = caller;
                problems.push(format!("{method} {path} as {role:?} (limited: {limited}): {problem}"));
            }
        }
    }
    problems
}

async fn judge(answer: Response, expected: Expected, caller: &Caller, stream: &str) -> Option<String> {
    let status = answer.status();
    let found = match status {
        StatusCode::UNAUTHORIZED => Expected::Unauthorized,
        StatusCode::FORBIDDEN => Expected::Forbidden,
        _ => Expected::Allowed,
    };
    let body = beginning(answer).await;
    if found != expected {
        return Some(format!("{expected:?} was to come, and {status} came: {body}"));
    }
    if status.is_server_error() && status != StatusCode::SERVICE_UNAVAILABLE
        || body.contains("there is nothing at this path")
        || status == StatusCode::METHOD_NOT_ALLOWED
    {
        return Some(format!("{status}: {body}"));
    }
    let leaks = status.is_success() && caller.limited && body.contains(stream);
    leaks.then(|| format!("the answer tells of {stream}: {body}"))
}

/// What a body begins with: some go on without end.
async fn beginning(answer: Response) -> String {
    let (mut bytes, mut body) = (Vec::new(), answer.into_body());
    let wait = std::time::Duration::from_secs(2);
    while bytes.len() < 1 << 20 {
        let frame = std::future::poll_fn(|context| std::pin::Pin::new(&mut body).poll_frame(context));
        let Ok(Some(Ok(frame))) = tokio::time::timeout(wait, frame).await else { break };
        bytes.extend(frame.data_ref().into_iter().flatten());
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
