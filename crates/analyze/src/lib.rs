//! Frames to results: analyzers, models, runtimes.
