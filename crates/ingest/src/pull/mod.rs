//! Sources that we go and read.

mod file;

pub use file::FileSource;

#[cfg(test)]
mod tests;
