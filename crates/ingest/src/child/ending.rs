//! How a child ended, in words for whoever handed the file over.

use std::{io, os::unix::process::ExitStatusExt as _, process::ExitStatus, sync::Arc, time::Duration};

use rustix::process::Signal;

use super::ChildLimits;

/// Longest line of libav's that is kept.
const MOST_LETTERS: usize = 512;

/// Why a child gave no answer.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ChildError {
    /// No child, through no fault of the file.
    #[error("the process that decodes untrusted video cannot be started")]
    Start(#[source] Arc<io::Error>),
    /// The system does not let it give up its rights.
    #[error("untrusted video is not decoded, for this system does not let a process be locked in: {0}")]
    Unlocked(String),
    /// It is gone.
    #[error("the process that decodes the video {0}")]
    Ended(ChildEnd),
}

/// How a child ended.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChildEnd {
    /// Too much work for one answer.
    #[error("was killed: it used more than {} s of processor time at once", .0.as_secs())]
    Cpu(Duration),
    /// It stood still.
    #[error("was killed: it gave no answer for {} s", .0.as_secs())]
    Late(Duration),
    /// It could not do without more.
    #[error("needed more memory than its {} MiB", .0 >> 20)]
    Memory(u64),
    /// A call that no decoder makes: the file took it over.
    #[error("was killed: it tried what it may not (a forbidden system call)")]
    Forbidden,
    /// Its answers make no sense: a fault, or the file took it over.
    #[error("was killed: it answered what cannot be ({0})")]
    Lied(String),
    /// A fault in a decoder, or somebody killed it.
    #[error("died of signal {signal}{}", in_brackets(.words))]
    Signal {
        /// Its name and number.
        signal: String,
        /// Its last words.
        words: String,
    },
    /// It went by itself.
    #[error("gave up with code {code}{}", in_brackets(.words))]
    Exit {
        /// Exit code.
        code: i32,
        /// Its last words.
        words: String,
    },
    /// The end was asked for.
    #[error("was stopped")]
    Stopped,
    /// A decoder of an earlier opening.
    #[error("decodes with a newer decoder by now")]
    Superseded,
}

impl ChildEnd {
    /// What its status and its last words say.
    pub(super) fn of(status: ExitStatus, words: &str, limits: &ChildLimits) -> Self {
        let words = clean(words);
        let Some(number) = status.signal() else {
            return Self::Exit { code: status.code().unwrap_or(-1), words };
        };
        match Signal::from_named_raw(number) {
            Some(Signal::XCPU) => Self::Cpu(limits.cpu),
            Some(Signal::SYS) => Self::Forbidden,
            // What Rust says when memory cannot be had; libav gives an error instead.
            Some(Signal::ABORT) if words.contains("memory allocation of") => {
                Self::Memory(limits.memory_bytes)
            }
            Some(named) => {
                let name = format!("{named:?}").replace(['"'], "").replace("Signal::", "SIG");
                Self::Signal { signal: format!("{number} ({name})"), words }
            }
            None => Self::Signal { signal: number.to_string(), words },
        }
    }
}

/// One short line without control characters, whoever says it.
pub(super) fn clean(words: &str) -> String {
    let plain = |letter: char| if letter.is_control() { ' ' } else { letter };
    words.trim().chars().map(plain).take(MOST_LETTERS).collect()
}

fn in_brackets(words: &str) -> String {
    if words.is_empty() { String::new() } else { format!(" ({words})") }
}

#[cfg(test)]
mod tests;
