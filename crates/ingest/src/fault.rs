//! On whose side a failure lies, and whether the same again may do better.

/// What failed, for whoever decides whether and when to try again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fault {
    /// Whoever named the source: wrong URL, unknown user, no such stream, an address that is not allowed. Lasting.
    Caller,
    /// What is there is no video, or none that can be read. Lasting.
    Media,
    /// The way there, or the machine at its end.
    Network,
    /// The server: it says or sends what it must not.
    Server,
    /// Nothing came for too long.
    Stalled,
    /// This machine: out of threads, open files or the like.
    Machine,
    /// Nobody's: the end was asked for. There is nothing to try again.
    Stopped,
}

impl Fault {
    /// Whether the same again soon would fail the same way.
    pub fn is_lasting(self) -> bool {
        matches!(self, Self::Caller | Self::Media | Self::Stopped)
    }
}
