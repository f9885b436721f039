//! Frames to results: analyzers, models, runtimes.

pub mod catalogue;
mod cpu;
mod lock;
pub mod runtime;

pub use cpu::{CpuFeatures, cpu_features};
pub use lock::{FILE as LOCK_FILE, LockEntry, LockError};
