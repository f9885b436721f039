//! Metrics: values in, `OpenMetrics` text out.

mod encode;
mod process;
mod values;

pub(crate) use encode::{CONTENT_TYPE, text};
pub use values::{EngineMetrics, FolderMetrics, Latency, ProcessMetrics, StreamMetrics};
