//! Frames to results: analyzers, models, runtimes.

mod cpu;
pub mod runtime;

pub use cpu::{CpuFeatures, cpu_features};
