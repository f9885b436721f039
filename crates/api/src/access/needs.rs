//! What each route needs, read from the OpenAPI document.

use std::collections::BTreeMap;

use axum::http::Method;
use serde_json::Value;

use super::grant::Role;

/// What a route needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Needed {
    /// The least role; `None`: anybody may.
    pub role: Option<Role>,
    /// Which stream it is about.
    pub stream: Where,
    /// Media that a media URL may open.
    pub media: Option<Media>,
}

/// How a route comes by the media it gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Media {
    /// It lies there. Players ask for it many times a second, so the rate of requests is no measure of them.
    Kept,
    /// It is made for each request.
    Made,
}

/// Where a request names its stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Where {
    /// It concerns none in particular.
    Nowhere,
    /// It concerns all of them, or the server itself.
    Everywhere,
    /// In a part of the path.
    Path(String),
    /// In a part of the path, before this ending.
    PathBefore(String, String),
    /// In a field of the query.
    Query(String),
    /// In a field of the body, which only the handler reads.
    Body(String),
    /// It lists streams, and leaves out those that the caller may not see.
    List,
}

/// The table of all routes.
#[derive(Clone, Debug, Default)]
pub struct Needs {
    routes: BTreeMap<String, BTreeMap<String, Needed>>,
}

/// A route that does not say what it needs.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{method} {path} does not say who may use it: {problem}")]
pub struct UndeclaredRoute {
    /// Its method.
    pub method: String,
    /// Its path, as in the OpenAPI document.
    pub path: String,
    /// What is missing or wrong.
    pub problem: &'static str,
}

const ROLE: &str = "x-role must be one of public, viewer, operator, admin";
const STREAM: &str =
    "x-stream must be one of none, all, list, path:NAME, path:NAME.ENDING, query:NAME, body:NAME";
const MEDIA: &str = "x-media must be kept or made, on routes that read media of a stream for viewers";
const PART: &str = "x-stream names a part that its path does not have";
const METHODS: [&str; 8] = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];

impl Needs {
    /// Reads what the operations of an OpenAPI document declare.
    pub fn read(document: &Value) -> Result<Self, UndeclaredRoute> {
        let mut needs = Self::default();
        for (path, item) in document["paths"].as_object().into_iter().flatten() {
            let operations = METHODS.iter().filter_map(|method| Some((*method, item.get(*method)?)));
            for (method, operation) in operations {
                let method = method.to_ascii_uppercase();
                let wrong = |problem| UndeclaredRoute { method: method.clone(), path: path.clone(), problem };
                let needed = needed(path, operation).map_err(wrong)?;
                needs.routes.entry(path.clone()).or_default().insert(method.clone(), needed);
            }
        }
        Ok(needs)
    }

    /// With a route that the document leaves out, such as the pages that show the document. `path` is as in the router.
    #[must_use]
    pub fn with(mut self, method: &Method, path: &str, needed: Needed) -> Self {
        self.routes.entry(path.to_owned()).or_default().insert(method.to_string(), needed);
        self
    }

    /// What the route at `path` of the router needs. `Err` holds the methods it has, empty for no such route.
    pub(crate) fn of(&self, method: &Method, path: &str) -> Result<&Needed, Vec<&str>> {
        let Some(methods) = self.route(path) else { return Err(Vec::new()) };
        let found = methods.get(method.as_str()).or_else(|| {
            // What answers GET answers HEAD.
            (*method == Method::HEAD).then(|| methods.get("GET")).flatten()
        });
        found.ok_or_else(|| methods.keys().map(String::as_str).collect())
    }

    /// Paths are the same with and without a slash at their end.
    fn route(&self, path: &str) -> Option<&BTreeMap<String, Needed>> {
        self.routes.get(path).or_else(|| match path.strip_suffix('/') {
            Some(shorter) => self.routes.get(shorter),
            None => self.routes.get(&format!("{path}/")),
        })
    }
}

fn needed(path: &str, operation: &Value) -> Result<Needed, &'static str> {
    let role = match operation["x-role"].as_str().ok_or(ROLE)? {
        "public" => None,
        word => Some(word.parse().map_err(|_error| ROLE)?),
    };
    let stream = match operation["x-stream"].as_str().ok_or(STREAM)? {
        "none" => Where::Nowhere,
        "all" => Where::Everywhere,
        "list" => Where::List,
        word => match word.split_once(':') {
            Some((_, "")) | None => return Err(STREAM),
            Some(("path", name)) => in_path(path, name)?,
            Some(("query", name)) => Where::Query(name.to_owned()),
            Some(("body", name)) => Where::Body(name.to_owned()),
            Some(_) => return Err(STREAM),
        },
    };
    if role.is_none() && stream != Where::Nowhere {
        return Err("what anybody may use can be about no stream; write x-stream none");
    }
    let media = match operation.get("x-media").map(Value::as_str) {
        None => None,
        Some(Some("kept")) => Some(Media::Kept),
        Some(Some("made")) => Some(Media::Made),
        Some(_) => return Err(MEDIA),
    };
    let of_one = matches!(stream, Where::Path(_) | Where::PathBefore(..));
    if media.is_some() && !(of_one && role == Some(Role::Viewer)) {
        return Err(MEDIA);
    }
    Ok(Needed { role, stream, media })
}

fn in_path(path: &str, name: &str) -> Result<Where, &'static str> {
    let (name, ending) = name.split_once('.').map_or((name, None), |(name, ending)| (name, Some(ending)));
    if !path.contains(&format!("{{{name}}}")) {
        return Err(PART);
    }
    let name = name.to_owned();
    Ok(ending.map_or(Where::Path(name.clone()), |ending| Where::PathBefore(name, format!(".{ending}"))))
}
