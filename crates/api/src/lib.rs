//! Our HTTP and WebSocket interface over the engine.

pub mod access;
mod metrics;
pub mod problem;
pub mod serving;
mod view;

pub use metrics::{EngineMetrics, FolderMetrics, Latency, ProcessMetrics, StreamMetrics};
pub use view::ModelView;
