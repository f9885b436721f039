//! The other side of a running server: what its work costs without it, and what its followers see.
//!
//! - `live floor URL STREAMS QUALITY`: bare receive of a stream by so many threads, decode of its keyframes, JPEG of each to nowhere.
//!   For each line on standard input it prints how many pictures there were so far.
//! - `live follow ADDRESS PATH FOLLOWERS`: so many WebSockets of one stream; what they got.
//! - `live latency ADDRESS SECONDS STREAM=URL…`: time from the arrival of an access unit, as a second client of the same source sees it,
//!   to its result on a WebSocket.

mod floor;
mod follow;
mod latency;
mod socket;

use anyhow::{Result, bail};
use tokio::runtime::{Builder, Runtime};

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["floor", url, streams, quality] => floor::run(&url.parse()?, streams.parse()?, quality.parse()?),
        ["follow", address, path, followers] => {
            runtime()?.block_on(follow::run(address, path, followers.parse()?))
        }
        ["latency", address, seconds, streams @ ..] => {
            let streams = streams.iter().filter_map(|stream| stream.split_once('=')).collect::<Vec<_>>();
            latency::run(address, seconds.parse()?, &streams)
        }
        _ => bail!(
            "usage: live floor URL STREAMS QUALITY | live follow ADDRESS PATH FOLLOWERS | live latency ADDRESS SECONDS STREAM=URL…"
        ),
    }
}

/// One thread, so that a client takes as little as it can from the server.
fn runtime() -> Result<Runtime> {
    Ok(Builder::new_current_thread().enable_all().build()?)
}
