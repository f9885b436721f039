//! Stopping while something goes on.

use std::sync::Arc;

use axum::{
    body::{Body, Bytes},
    routing,
};
use futures_util::{StreamExt as _, stream};
use ocelli_api::serving::Draining;
use tokio::{io::AsyncWriteExt as _, sync::Notify, time::Instant};

use super::*;

/// A router with a request that says when it has begun and ends when it is told to.
fn waiting() -> (Router, Arc<Notify>, Arc<Notify>) {
    let (begun, go) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (tell, wait) = (Arc::clone(&begun), Arc::clone(&go));
    let handler = move || {
        let (tell, wait) = (Arc::clone(&tell), Arc::clone(&wait));
        async move {
            tell.notify_one();
            wait.notified().await;
            "done"
        }
    };
    (router().route("/wait", routing::get(handler)), begun, go)
}

#[tokio::test(start_paused = true)]
async fn what_has_begun_is_finished() {
    let (router, begun, go) = waiting();
    let server = Running::plain(router);
    let address = server.address;
    let mut idle = server.connect().await;
    idle.write_all(b"GET /ok HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    answer(&mut idle, "ok").await;
    let mut busy = server.connect().await;
    busy.write_all(b"GET /wait HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    begun.notified().await;
    let ended = server.stop();
    assert_eq!(rest(&mut idle).await, "", "nothing goes on there");
    assert!(TcpStream::connect(address).await.is_err(), "nobody new comes in");
    assert!(!ended.is_finished());
    go.notify_one();
    let answer = rest(&mut busy).await;
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.ends_with("done"), "{answer}");
    assert_eq!(ended.await.unwrap(), Drained { cut: 0 });
}

#[tokio::test(start_paused = true)]
async fn what_does_not_finish_is_cut() {
    let (router, begun, _go) = waiting();
    let server = Running::start(router, LimitsConfig { drain_s: 9, ..LimitsConfig::default() }, None);
    let mut busy = server.connect().await;
    busy.write_all(b"GET /wait HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    begun.notified().await;
    let start = Instant::now();
    assert_eq!(server.stop().await.unwrap(), Drained { cut: 1 });
    assert_eq!(start.elapsed().as_secs(), 9);
    assert_eq!(rest(&mut busy).await, "");
}

#[tokio::test(start_paused = true)]
async fn answers_without_end_are_told_to_end() {
    let endless = |axum::Extension(mut draining): axum::Extension<Draining>| async move {
        let ends = async move { draining.begun().await };
        let first = stream::iter([Ok::<_, std::convert::Infallible>(Bytes::from_static(b"first"))]);
        Body::from_stream(first.chain(stream::pending()).take_until(Box::pin(ends)))
    };
    let server = Running::plain(router().route("/endless", routing::get(endless)));
    let mut client = server.connect().await;
    client.write_all(b"GET /endless HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    answer(&mut client, "first\r\n").await;
    let ended = server.stop();
    assert_eq!(rest(&mut client).await, "0\r\n\r\n", "the answer is whole");
    assert_eq!(ended.await.unwrap(), Drained { cut: 0 });
}
