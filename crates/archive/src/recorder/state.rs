//! What others see of a recorder.

/// Whether a stream is being recorded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Phase {
    /// Yes.
    #[default]
    Recording,
    /// Media is left out for this reason, and live only. Goes on by itself.
    Paused(String),
    /// What comes cannot be recorded. The next run may be another matter.
    Failed(String),
}

/// How recording goes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RecorderState {
    /// Now.
    pub phase: Phase,
    /// Pictures that were given.
    pub units: u64,
    /// Of them, those before anything could be decoded, or of a run that cannot be recorded.
    pub left_out: u64,
    /// Blocks of sound that were given.
    pub sounds: u64,
    /// Of them, those that fit nowhere.
    pub sounds_left_out: u64,
    /// Parts that were written.
    pub parts: u64,
    /// Bytes of them.
    pub bytes: u64,
    /// Segments that are in the index.
    pub segments: u64,
    /// Gaps so far.
    pub gaps: u64,
}
