//! The client against real servers on 127.0.0.1.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop there")]

mod bodies;
mod downloads;
mod server;
mod tls;
