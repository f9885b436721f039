//! What the interface promises, over real sockets.

mod serving;
mod walk;
