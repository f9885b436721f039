//! WebSockets over the accept loop.

use axum::{
    Extension,
    extract::ws::{Message, WebSocketUpgrade},
    response::Response,
    routing,
};
use futures_util::{SinkExt as _, StreamExt as _};
use ocelli_api::serving::Draining;
use tokio_tungstenite::{WebSocketStream, client_async, tungstenite};

use super::*;

/// Says everything again, until the server drains.
async fn echo(upgrade: WebSocketUpgrade, Extension(mut draining): Extension<Draining>) -> Response {
    upgrade.on_upgrade(async move |mut socket| {
        loop {
            tokio::select! {
                () = draining.begun() => break,
                message = socket.recv() => match message {
                    Some(Ok(message @ Message::Text(_))) => socket.send(message).await.unwrap(),
                    Some(Ok(_)) => {}
                    None | Some(Err(_)) => return,
                },
            }
        }
        socket.send(Message::Close(None)).await.unwrap();
    })
}

async fn open(server: &Running) -> WebSocketStream<TcpStream> {
    let url = format!("ws://{}/echo-ws", server.address);
    client_async(url, server.connect().await).await.unwrap().0
}

#[tokio::test(start_paused = true)]
async fn they_work_keep_their_room_and_end_with_the_server() {
    let limits = LimitsConfig { connections_per_address: 1, head_s: 5, idle_s: 5, ..LimitsConfig::default() };
    let router = router().route("/echo-ws", routing::get(echo));
    let server = Running::start(router, limits, None);
    let mut client = open(&server).await;
    let hello = tungstenite::Message::text("hello");
    client.send(hello.clone()).await.unwrap();
    assert_eq!(client.next().await.unwrap().unwrap(), hello);
    assert_eq!(server.ask("").await, "", "it counts as a connection");
    // Quiet for longer than a connection between requests may be.
    tokio::time::sleep(std::time::Duration::from_mins(10)).await;
    client.send(hello.clone()).await.unwrap();
    assert_eq!(client.next().await.unwrap().unwrap(), hello);
    let ended = server.stop();
    assert!(client.next().await.unwrap().unwrap().is_close());
    drop(client);
    assert_eq!(ended.await.unwrap(), Drained { cut: 0 });
}
