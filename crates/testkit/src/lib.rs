//! Dev-only: synthetic clips with a machine-readable frame number, the sampling oracle, faults.
