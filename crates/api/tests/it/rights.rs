//! Every route of the document, with every role, limited to a foreign stream and not.

use ocelli_api::{LiveSettings, access::AccessConfig};
use serde_json::json;

use crate::{
    stand::{Stand, facts::run, open},
    walk::{Tokens, walk},
};

#[tokio::test]
async fn every_route_does_what_it_promises_of_rights() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tokens.toml");
    let tokens = Tokens::make(&path);
    let config = AccessConfig { tokens: Some(path), ..open() };
    let stand = Stand::with(config, LiveSettings::default()).await;
    let stream = json!({"id": "walked-cam", "source": {"url": "rtsp://192.0.2.7/one"}, "frames": {}});
    stand.json(axum::http::Method::POST, "/api/v1/streams", &stream).await.with_status(201);
    stand.engine.show("walked-cam", b"\xff\xd8picture", 0);
    run(&stand.store, "walked-cam", 0, "ssd").await;
    let document = serde_json::to_value(ocelli_api::openapi()).unwrap();
    let problems = walk(&stand.router, &document, &tokens, "walked-cam").await;
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}
