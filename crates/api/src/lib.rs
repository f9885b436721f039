//! Our HTTP and WebSocket interface over the engine.

pub mod access;
pub mod problem;
pub mod serving;
