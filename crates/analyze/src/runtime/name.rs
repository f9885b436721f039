//! Which runtimes there are, and how they are opened by name.

use std::{fmt, path::Path, str::FromStr};

use serde::{Deserialize, Serialize};

use super::{LoadError, Precision, Runtime, RuntimeInfo, onnxruntime, openvino};
use crate::cpu::CpuFeatures;

/// A library that runs models.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RuntimeName {
    /// Intel's; the fastest on CPUs that multiply bfloat16.
    OpenVino,
    /// Microsoft's; in f32 often the faster one, and at home on more CPUs.
    OnnxRuntime,
}

impl RuntimeName {
    /// All of them, first the one that is taken where nothing else was decided.
    pub const ALL: [Self; 2] = [Self::OpenVino, Self::OnnxRuntime];

    /// `openvino` or `onnxruntime`, as in the lock file and in analyzer versions.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::OpenVino => "openvino",
            Self::OnnxRuntime => "onnxruntime",
        }
    }

    /// Its name as its makers write it.
    pub fn title(self) -> &'static str {
        match self {
            Self::OpenVino => "OpenVINO",
            Self::OnnxRuntime => "ONNX Runtime",
        }
    }

    /// Folder of its libraries below the product's data directory.
    pub fn folder(self) -> &'static str {
        match self {
            Self::OpenVino => openvino::FOLDER,
            Self::OnnxRuntime => onnxruntime::FOLDER,
        }
    }

    /// The precision it runs models in on this CPU unless told otherwise.
    pub fn favoured(self, cpu: &CpuFeatures) -> Precision {
        match self {
            Self::OpenVino => cpu.precision(),
            // Its CPU provider computes in the model's own type, which is f32.
            Self::OnnxRuntime => Precision::F32,
        }
    }

    /// Loads its library below `home`, the product's data directory.
    pub fn open(self, home: &Path) -> Result<Box<dyn Runtime>, LoadError> {
        Ok(match self {
            Self::OpenVino => Box::new(openvino::OpenVino::open(home)?),
            Self::OnnxRuntime => Box::new(onnxruntime::OnnxRuntime::open(home)?),
        })
    }

    /// What the runtime of this data directory is, or what is missing.
    pub fn probe(self, home: &Path) -> Result<RuntimeInfo, LoadError> {
        Ok(self.open(home)?.info().clone())
    }
}

/// The first of [`RuntimeName::ALL`] that is installed below `home`. One that is there and broken is an error: another
/// would silently give other results.
pub fn first_installed(home: &Path) -> Result<Box<dyn Runtime>, LoadError> {
    let mut missing = None;
    for name in RuntimeName::ALL {
        match name.open(home) {
            Err(error @ LoadError::RuntimeMissing { .. }) => missing = missing.or(Some(error)),
            opened => return opened,
        }
    }
    Err(missing.expect("there are runtimes, and each was missing"))
}

impl fmt::Display for RuntimeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A word that names no runtime.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("unknown runtime {0:?}; it is one of openvino, onnxruntime")]
pub struct RuntimeNameError(String);

impl FromStr for RuntimeName {
    type Err = RuntimeNameError;

    fn from_str(text: &str) -> Result<Self, RuntimeNameError> {
        Self::ALL
            .into_iter()
            .find(|name| name.as_str() == text)
            .ok_or_else(|| RuntimeNameError(text.to_owned()))
    }
}
