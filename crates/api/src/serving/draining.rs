//! That the server is about to end.

use tokio::sync::watch;

/// Tells handlers that the server is to stop: answers that go on without end, WebSockets first of all, end then by themselves.
/// Found in the extensions of each request.
#[derive(Clone, Debug)]
pub struct Draining(watch::Receiver<bool>);

/// The other end.
#[derive(Debug)]
pub(super) struct Drain(watch::Sender<bool>);

impl Drain {
    pub(super) fn new() -> (Self, Draining) {
        let (sender, receiver) = watch::channel(false);
        (Self(sender), Draining(receiver))
    }

    pub(super) fn begin(&self) {
        self.0.send_replace(true);
    }
}

impl Draining {
    /// Waits until the server is to stop, or is gone. Dropping the future loses nothing.
    pub async fn begun(&mut self) {
        // An error is a server that is gone.
        drop(self.0.wait_for(|begun| *begun).await);
    }

    /// Whether the server is to stop.
    pub fn has_begun(&self) -> bool {
        *self.0.borrow()
    }
}
