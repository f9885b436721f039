//! Frames to results: analyzers, models, runtimes.

mod analyzer;
pub mod catalogue;
mod cpu;
pub mod detector;
pub mod gate;
mod lock;
pub mod runtime;
pub mod tracker;
mod whole;

pub use analyzer::{AnalyzeError, Analyzer};
pub use cpu::{CpuFeatures, cpu_features};
pub use detector::{Detector, DetectorConfig, DetectorError, DetectorModel, Upstream, load};
pub use gate::{Gate, GateConfig, GateConfigError, MotionGate};
pub use lock::{FILE as LOCK_FILE, LockEntry, LockError, note as note_choice, peek as locked_choice};
pub use tracker::{TimeError, Tracker, TrackerConfig, TrackerConfigError};
