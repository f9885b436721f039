//! The OpenAPI document: complete, as committed, and shown without asking any other host.

use std::collections::BTreeSet;

use axum::http::Method;
use serde_json::Value;

use crate::stand::Stand;

const METHODS: [&str; 5] = ["get", "put", "post", "delete", "patch"];

fn document() -> Value {
    serde_json::to_value(ocelli_api::openapi()).unwrap()
}

fn operations(document: &Value) -> Vec<(String, &'static str, Value)> {
    let paths = document["paths"].as_object().unwrap();
    let of = |(path, item): (&String, &Value)| {
        let found =
            METHODS.iter().filter_map(|method| Some((path.clone(), *method, item.get(*method)?.clone())));
        found.collect::<Vec<_>>()
    };
    paths.iter().flat_map(of).collect()
}

#[test]
fn every_route_is_explained() {
    let document = document();
    let operations = operations(&document);
    assert!(operations.len() >= 27, "{}", operations.len());
    let mut ids = BTreeSet::new();
    for (path, method, operation) in &operations {
        let place = format!("{method} {path}");
        let id = operation["operationId"].as_str().unwrap();
        assert!(ids.insert(id.to_owned()), "{place}: operation {id} is there twice");
        assert!(operation["summary"].as_str().is_some_and(|text| text.len() > 5), "{place}: no summary");
        assert!(["x-role", "x-stream"].iter().all(|word| operation[word].is_string()), "{place}: no rights");
        let parameters = operation["parameters"].as_array().into_iter().flatten();
        for parameter in parameters {
            let name = &parameter["name"];
            assert!(
                parameter["description"].as_str().is_some_and(|text| !text.is_empty()),
                "{place}: {name}"
            );
        }
        for part in path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}')) {
            let named = operation["parameters"].as_array().unwrap().iter().any(|known| known["name"] == part);
            assert!(named, "{place}: {part}");
        }
        let answers = operation["responses"].as_object().unwrap();
        let is_public = operation["x-role"] == "public";
        let media_analyzer = ["/api/streaming/", "/api/streams/", "/streaming/", "/ws/stream/"];
        let media_analyzer = media_analyzer.iter().any(|place| path.starts_with(place));
        let expected: &[&str] = match () {
            () if is_public => &["500"],
            () if media_analyzer => &["400", "401", "403", "429", "500", "503"],
            () => &["401", "403", "422", "429", "500", "503"],
        };
        assert!(expected.iter().all(|status| answers.contains_key(*status)), "{place}: {answers:?}");
        assert!(answers.keys().any(|status| status.as_str() < "300"), "{place}: no success");
        let native = !media_analyzer && !path.starts_with("/api/v1/video-pipeline/");
        for (status, answer) in answers.iter().filter(|(status, _)| status.as_str() >= "400") {
            assert!(!answer["description"].as_str().unwrap().is_empty(), "{place} {status}");
            let kind = if native { "application/problem+json" } else { "application/json" };
            let own = place == "get /readyz" && status == "503";
            assert!(own || answer["content"].get(kind).is_some(), "{place} {status}: {answer}");
        }
    }
}

/// Every `$ref` leads somewhere.
#[test]
fn nothing_is_referred_to_that_is_not_there() {
    let document = document();
    let mut waiting = vec![&document];
    let mut count = 0;
    while let Some(value) = waiting.pop() {
        match value {
            Value::Object(fields) => {
                if let Some(Value::String(target)) = fields.get("$ref") {
                    let pointer = target.strip_prefix('#').unwrap();
                    assert!(document.pointer(pointer).is_some(), "{target} is not there");
                    count += 1;
                }
                waiting.extend(fields.values());
            }
            Value::Array(items) => waiting.extend(items),
            _ => {}
        }
    }
    assert!(count > 50, "{count}");
}

/// A stream that is not there, and no body: every route of the document answers, with something that the document lists.
#[tokio::test]
async fn every_route_answers_as_documented() {
    let stand = Stand::new().await;
    for (path, method, operation) in operations(&document()) {
        let method: Method = method.to_ascii_uppercase().parse().unwrap();
        let answer = stand
            .ask(method.clone(), &path.replace("{id}", "none").replace("{stream_key}", "none"), "", "")
            .await;
        let status = answer.status.as_str();
        let listed = operation["responses"].get(status).is_some();
        assert!(listed, "{method} {path} answers {status}, which is not documented: {}", answer.text());
        assert_ne!(status, "405", "{method} {path}");
    }
}

/// `OCELLI_UPDATE=1 cargo test -p ocelli-api document` writes it anew.
#[test]
fn the_committed_document_is_this_one() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/reference/openapi.json");
    let made = serde_json::to_string_pretty(&document()).unwrap() + "\n";
    if std::env::var_os("OCELLI_UPDATE").is_some() {
        std::fs::create_dir_all(std::path::Path::new(path).parent().unwrap()).unwrap();
        std::fs::write(path, &made).unwrap();
    }
    let committed = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        committed == made,
        "docs/reference/openapi.json is not what the routes say; run\nOCELLI_UPDATE=1 cargo test -p ocelli-api document"
    );
}

#[tokio::test]
async fn the_page_asks_no_other_host() {
    let stand = Stand::new().await;
    let served: Value = stand.get("/api/openapi.json").await.with_status(200).json();
    assert_eq!(served, document());
    for short in ["/", "/api/docs"] {
        let leads = stand.get(short).await.with_status(303);
        assert_eq!(leads.header("location"), Some("/api/docs/"), "{short}");
    }
    let page = stand.get("/api/docs/").await.with_status(200);
    assert!(page.header("content-type").unwrap().starts_with("text/html"));
    let page = page.text();
    let named = page.split(['"', '\'']).filter_map(|word| word.strip_prefix("./"));
    let mut files: Vec<_> = named.filter(|word| word.contains('.')).map(str::to_owned).collect();
    files.sort_unstable();
    files.dedup();
    assert!(files.iter().any(|file| file == "swagger-ui-bundle.js"), "{files:?}");
    for file in &files {
        let file = stand.get(&format!("/api/docs/{file}")).await.with_status(200);
        if file.header("content-type").is_some_and(|kind| kind.contains("css")) {
            let text = file.text();
            assert!(!text.contains("url(http") && !text.contains("@import"), "style from elsewhere");
        }
    }
    assert!(!page.contains("http://") && !page.contains("https://"), "{page}");
    let start = stand.get("/api/docs/swagger-initializer.js").await.with_status(200).text();
    assert!(start.contains("\"validatorUrl\": \"none\"") && start.contains("/api/openapi.json"), "{start}");
    assert!(!start.contains("http://") && !start.contains("https://"), "{start}");
}
