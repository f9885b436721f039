//! One file per subcommand.

pub(crate) mod analyze;
pub(crate) mod archive;
mod aside;
pub(crate) mod config;
pub(crate) mod doctor;
mod exports;
pub(crate) mod extract;
pub(crate) mod health;
mod hwaccel;
pub(crate) mod ledger;
pub(crate) mod models;
pub(crate) mod results;
pub(crate) mod runs;
pub(crate) mod serve;
pub(crate) mod store;
pub(crate) mod token;
mod verdict;
mod window;
