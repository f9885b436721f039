//! Our HTTP and WebSocket interface over the engine.

pub mod access;
mod engine;
mod extract;
mod failure;
mod live;
mod metrics;
mod native;
mod outside;
mod pipeline;
pub mod problem;
pub mod serving;
mod state;
mod view;

pub use engine::Engine;
pub use metrics::{EngineMetrics, FolderMetrics, Latency, ProcessMetrics, StreamMetrics};
pub use outside::{MediaProbe, Operation, ProbeError, SourcePolicy, VideoInfo};
pub use pipeline::remove_stale_uploads;
pub use state::{ApiSettings, ApiState, LiveSettings};
pub use view::ModelView;
