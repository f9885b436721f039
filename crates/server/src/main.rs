//! The `ocelli` binary.
fn main() {}
