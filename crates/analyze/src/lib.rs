//! Frames to results: analyzers, models, runtimes.

pub mod catalogue;
mod cpu;
pub mod runtime;

pub use cpu::{CpuFeatures, cpu_features};
