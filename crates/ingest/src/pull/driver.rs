//! What waits for the network.

use std::io;

use tokio::runtime::{Builder, Handle, Runtime};

/// A runtime of a source's own, which runs only while the source waits, or one that is shared and driven elsewhere.
#[derive(Debug)]
pub(crate) enum Driver {
    Own(Runtime),
    Shared(Handle),
}

impl Driver {
    pub(crate) fn new(shared: Option<&Handle>) -> io::Result<Self> {
        match shared {
            Some(handle) => Ok(Self::Shared(handle.clone())),
            None => Builder::new_current_thread().enable_all().build().map(Self::Own),
        }
    }

    pub(crate) fn wait<T>(&self, work: impl Future<Output = T>) -> T {
        match self {
            Self::Own(runtime) => runtime.block_on(work),
            Self::Shared(handle) => handle.block_on(work),
        }
    }
}
