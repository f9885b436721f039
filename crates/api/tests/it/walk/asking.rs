//! Requests made from a document.

use axum::{
    body::Body,
    http::{Request, header},
};
use ocelli_api::{access::Role, serving::Peer};
use serde_json::{Map, Value, json};

/// A route of the document.
pub(super) struct Operation<'a> {
    pub(super) method: &'a str,
    pub(super) path: &'a str,
    /// The least role; `None`: anybody.
    pub(super) role: Option<Role>,
    /// `x-stream`.
    pub(super) stream: &'a str,
    value: &'a Value,
}

/// All of them. What they do not declare, `Needs::read` has complained of before.
pub(super) fn operations(document: &Value) -> Vec<Operation<'_>> {
    let mut found = Vec::new();
    for (path, item) in document["paths"].as_object().into_iter().flatten() {
        for method in ["get", "put", "post", "delete", "patch"] {
            let Some(value) = item.get(method) else { continue };
            let role = value["x-role"].as_str().unwrap();
            let role = (role != "public").then(|| role.parse().unwrap());
            let stream = value["x-stream"].as_str().unwrap();
            found.push(Operation { method, path, role, stream, value });
        }
    }
    found
}

/// A request to a route about `stream`, from another machine.
pub(super) fn request(operation: &Operation<'_>, token: Option<&str>, stream: &str) -> Request<Body> {
    let (place, name) = operation.stream.split_once(':').unwrap_or((operation.stream, ""));
    // `path:NAME.ENDING` names the stream before the ending.
    let (name, ending) = match (place, name.find('.')) {
        ("path", Some(dot)) => name.split_at(dot),
        _ => (name, ""),
    };
    let mut path = operation.path.replace(&format!("{{{name}}}"), &format!("{stream}{ending}"));
    let mut query = Vec::new();
    for parameter in operation.value["parameters"].as_array().into_iter().flatten() {
        let Value::String(called) = &parameter["name"] else { continue };
        let example = parameter.get("example").or_else(|| parameter["schema"].get("example"));
        let example = example
            .map_or("1".to_owned(), |value| value.as_str().map_or_else(|| value.to_string(), str::to_owned));
        match parameter["in"].as_str() {
            Some("path") => path = path.replace(&format!("{{{called}}}"), &example),
            Some("query") if place == "query" && called == name => {}
            Some("query") if parameter["required"] == true => query.push(format!("{called}={example}")),
            _ => {}
        }
    }
    query.extend((place == "query").then(|| format!("{name}={stream}")));
    let uri = if query.is_empty() { path } else { format!("{path}?{}", query.join("&")) };
    let mut built = Request::builder().method(&*operation.method.to_ascii_uppercase()).uri(uri);
    if let Some(token) = token {
        built = built.header(header::AUTHORIZATION, format!("Bearer {token}"));
    }
    let field = (place == "body").then_some((name, stream));
    let (kind, body) = body(&operation.value["requestBody"]["content"], field);
    built = built.header(header::CONTENT_TYPE, kind);
    let mut built = built.body(Body::from(body)).unwrap();
    built.extensions_mut().insert(Peer::new("203.0.113.9:4000".parse().unwrap(), true));
    built
}

/// Media type and bytes of a body: the document's example, with the stream in its field.
fn body(content: &Value, field: Option<(&str, &str)>) -> (String, String) {
    let Some((kind, described)) = content.as_object().and_then(|content| content.iter().next()) else {
        return ("text/plain".to_owned(), String::new());
    };
    let mut example = described["example"].as_object().cloned().unwrap_or_default();
    example.extend(field.map(|(name, stream)| (name.to_owned(), json!(stream))));
    match kind.as_str() {
        "multipart/form-data" => (format!("{kind}; boundary=walk"), multipart(&example)),
        "application/x-www-form-urlencoded" => {
            let pairs = example.iter().map(|(name, value)| format!("{name}={}", word(value)));
            (kind.clone(), pairs.collect::<Vec<_>>().join("&"))
        }
        _ => (kind.clone(), Value::Object(example).to_string()),
    }
}

fn multipart(fields: &Map<String, Value>) -> String {
    let part = |(name, value)| {
        format!("--walk\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n{}\r\n", word(value))
    };
    fields.iter().map(part).collect::<String>() + "--walk--\r\n"
}

fn word(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
