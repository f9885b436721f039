//! RTMP (Adobe, RTMP 1.0; Veovera, Enhanced RTMP v1 and v2): a server that publishers push to.
//!
//! Own code: what reads bytes of strangers here is bounded in every direction, and fuzzed. The chunks of the libraries that there
//! are keep as many streams and as much of each as a stranger likes.

pub mod amf;
pub mod chunk;
pub mod flv;
mod server;
mod session;
pub mod units;

pub use server::{RtmpBindError, RtmpConfig, RtmpServer};
pub use session::{Event, RtmpError, Session};
