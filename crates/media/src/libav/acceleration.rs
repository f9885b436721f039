//! Which hardware may decode, and why it does not.

use std::{fmt, str::FromStr};

use super::codec_library_version;

/// Hardware that decodes pictures in place of the CPU.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Acceleration {
    /// NVIDIA's decoder (NVDEC).
    Cuda,
    /// Intel Quick Sync Video.
    Qsv,
    /// The video acceleration API of Linux: Intel and AMD.
    Vaapi,
}

impl Acceleration {
    /// All there are.
    pub const ALL: [Self; 3] = [Self::Cuda, Self::Qsv, Self::Vaapi];
}

impl fmt::Display for Acceleration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Cuda => "cuda",
            Self::Qsv => "qsv",
            Self::Vaapi => "vaapi",
        })
    }
}

/// A word that names no hardware.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is no hardware that decodes: give cuda, qsv or vaapi")]
pub struct AccelerationError(String);

impl FromStr for Acceleration {
    type Err = AccelerationError;

    fn from_str(word: &str) -> Result<Self, AccelerationError> {
        let named = |acceleration: &Self| acceleration.to_string() == word;
        Self::ALL.into_iter().find(named).ok_or_else(|| AccelerationError(word.to_owned()))
    }
}

/// Why hardware does not decode what it was asked for. Software can.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fallback {
    /// Support was left out when FFmpeg was built.
    #[error("this FFmpeg is built without {0}")]
    NotBuilt(Acceleration),
    /// No such device, no driver, no right to open it.
    #[error("no {acceleration} device can be opened ({reason})")]
    NoDevice {
        /// As asked for.
        acceleration: Acceleration,
        /// In libav's words.
        reason: String,
    },
    /// FFmpeg knows no way to decode this codec there.
    #[error("{acceleration} does not decode {codec}")]
    Codec {
        /// As asked for.
        acceleration: Acceleration,
        /// Its name.
        codec: String,
    },
    /// The device refuses this very stream: its profile, its size, its pixel format.
    #[error("the {acceleration} device does not decode this video ({reason})")]
    Refused {
        /// As asked for.
        acceleration: Acceleration,
        /// In libav's words.
        reason: String,
    },
}

/// What decodes, as an ingredient of the analyzer version: `59.37.100` in software, `59.37.100 vaapi` on hardware.
/// Nobody has proven that a device gives the same bits, so results of the two never share a version. Devices and
/// drivers of one kind do share one: libav does not name them.
pub fn decoder_identity(acceleration: Option<Acceleration>) -> String {
    let library = codec_library_version();
    acceleration.map_or(library.clone(), |acceleration| format!("{library} {acceleration}"))
}

#[cfg(test)]
mod tests;
