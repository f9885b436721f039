//! One file per subcommand.

pub(crate) mod analyze;
mod annotate;
mod aside;
pub(crate) mod doctor;
pub(crate) mod extract;
pub(crate) mod models;
mod summary;
mod verdict;
mod window;
