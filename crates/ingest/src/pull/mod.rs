//! Sources that we go and read.

mod file;

pub use file::{FileIdentity, FileSource};

#[cfg(test)]
mod tests;
