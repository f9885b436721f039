//! Pictures that clients post: what no stream takes is refused, each refusal in its own words.

use axum::http::Method;
use serde_json::json;

use crate::stand::Stand;

#[tokio::test]
async fn what_no_stream_takes_is_refused() {
    let stand = Stand::new().await;
    let stream = json!({"id": "door", "source": {"url": "frames:door"}, "frames": {}, "start": false});
    stand.json(Method::POST, "/api/v1/streams", &stream).await.with_status(201);
    let post = |path: &'static str, body: Vec<u8>| stand.ask(Method::POST, path, "image/jpeg", body);
    post("/api/v1/streams/nobody/frames", vec![1]).await.expect_problem(404, "there is no stream nobody");
    post("/api/v1/streams/door/frames", vec![1]).await.expect_problem(409, "start it");
    post("/api/v1/streams/door/frames?pts_ms=soon", vec![1])
        .await
        .expect_problem(422, "the query is not valid");
    let large = vec![0; (16 << 20) + 1];
    post("/api/v1/streams/door/frames", large).await.expect_problem(413, "longer than");
}
