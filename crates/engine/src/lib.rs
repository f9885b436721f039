//! Runs streams: the loop from source to results.
