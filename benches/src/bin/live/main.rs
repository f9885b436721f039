//! The other side of a running server: what its work costs without it, and what its followers see.
//!
//! - `live floor URL STREAMS QUALITY`: bare receive of a stream by so many threads, decode of its keyframes, JPEG of each to nowhere.
//!   For each line on standard input it prints how many pictures there were so far.
//! - `live receive URL STREAMS`: the same without decode and JPEG; every picture counts.
//! - `live follow ADDRESS PATH FOLLOWERS`: so many WebSockets of one stream; what they got.
//! - `live latency ADDRESS SECONDS STREAM=URL…`: time from the arrival of an access unit, as a second client of the same source sees it,
//!   to its result on a WebSocket.
//! - `live view ADDRESS PATH VIEWERS plain|low`: so many HLS players of one playlist, plain or with low latency, which throw away what
//!   they get; how much it was.

mod floor;
mod follow;
mod http;
mod latency;
mod playlist;
mod socket;
mod view;

use anyhow::{Result, bail};
use tokio::runtime::{Builder, Runtime};

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["floor", url, streams, quality] => {
            floor::run(&url.parse()?, streams.parse()?, Some(quality.parse()?))
        }
        ["receive", url, streams] => floor::run(&url.parse()?, streams.parse()?, None),
        ["follow", address, path, followers] => {
            runtime()?.block_on(follow::run(address, path, followers.parse()?))
        }
        ["latency", address, seconds, streams @ ..] => {
            let streams = streams.iter().filter_map(|stream| stream.split_once('=')).collect::<Vec<_>>();
            latency::run(address, seconds.parse()?, &streams)
        }
        ["view", address, path, viewers, how] => {
            let low = match *how {
                "plain" => false,
                "low" => true,
                _ => bail!("{how}: view plain or low"),
            };
            runtime()?.block_on(view::run(address, path, viewers.parse()?, low))
        }
        _ => bail!(
            "usage: live floor URL STREAMS QUALITY | live receive URL STREAMS | live follow ADDRESS PATH FOLLOWERS | live latency ADDRESS SECONDS STREAM=URL… | live view ADDRESS PATH VIEWERS plain|low"
        ),
    }
}

/// One thread, so that a client takes as little as it can from the server.
fn runtime() -> Result<Runtime> {
    Ok(Builder::new_current_thread().enable_all().build()?)
}
