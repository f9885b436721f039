//! Model runtimes behind one trait: load a model once, run as many instances of it as there are cores.

use std::{
    fmt, fs, io,
    path::{Path, PathBuf},
    str::FromStr,
};

use serde::{Deserialize, Serialize};

mod name;
pub mod onnxruntime;
pub mod openvino;

pub use name::{RuntimeName, RuntimeNameError, first_installed};

/// Most values of one input or output tensor (a picture of 4096 x 4096 in three colours fits): bounds what a file that
/// claims to be a model can make the process allocate.
const MAX_ELEMENTS: usize = 1 << 26;

/// Number format of the arithmetic inside a model; inputs and outputs are always 32-bit floats.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Precision {
    /// IEEE 754 single precision.
    F32,
    /// bfloat16 multiplication, single precision sums.
    Bf16,
}

impl Precision {
    /// `f32` or `bf16`, as in the lock file and on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::F32 => "f32",
            Self::Bf16 => "bf16",
        }
    }
}

impl fmt::Display for Precision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A word that names no precision.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("unknown precision {0:?}; it is one of f32, bf16")]
pub struct PrecisionError(String);

impl FromStr for Precision {
    type Err = PrecisionError;

    fn from_str(text: &str) -> Result<Self, PrecisionError> {
        match text {
            "f32" => Ok(Self::F32),
            "bf16" => Ok(Self::Bf16),
            other => Err(PrecisionError(other.to_owned())),
        }
    }
}

/// What a runtime says about itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RuntimeInfo {
    /// Which one it is.
    pub name: RuntimeName,
    /// The library's own version string.
    pub version: String,
    /// The library that was loaded.
    pub path: PathBuf,
    /// Devices it can run models on.
    pub devices: Vec<String>,
}

/// Why a runtime or a model could not be made ready.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The library's folder is absent or holds no library.
    #[error("no {} in {}; `./dev setup` fetches it", runtime.title(), path.display())]
    RuntimeMissing {
        /// What was looked for.
        runtime: RuntimeName,
        /// Folder that was searched.
        path: PathBuf,
    },
    /// The library is there and cannot be used.
    #[error("cannot use {} in {}: {reason}; `./dev setup` fetches it again", runtime.title(), path.display())]
    RuntimeBroken {
        /// What was tried.
        runtime: RuntimeName,
        /// Library that was tried.
        path: PathBuf,
        /// What the system's loader or the library said.
        reason: String,
    },
    /// The runtime refuses the model.
    #[error("{} cannot {step}", runtime.title())]
    Refused {
        /// Who refuses.
        runtime: RuntimeName,
        /// What was asked of it.
        step: &'static str,
        /// What it said.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Inputs or outputs are not what the model's contract says.
    #[error("the model does not keep its contract: {0}")]
    Contract(String),
    /// The runtime cannot compute in the wanted precision on this CPU.
    #[error("{} cannot run the model in {wanted} on this CPU, it would choose {chosen}; use another precision", runtime.title())]
    Precision {
        /// Who cannot.
        runtime: RuntimeName,
        /// Asked for.
        wanted: Precision,
        /// What the runtime would use instead.
        chosen: String,
    },
}

/// The library below `folder` whose name begins with `prefix`: wheels ship it with a version behind `.so`, without the
/// plain name that a linker would want. Absolute and without links: a relative path would be looked for beside the
/// binary, and a library looks for its plugins beside itself whenever a device is first used, when a link may be gone.
fn find_library(runtime: RuntimeName, folder: &Path, prefix: &str) -> Result<PathBuf, LoadError> {
    let missing = || LoadError::RuntimeMissing { runtime, path: folder.to_owned() };
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(missing()),
        Err(error) => {
            let reason = error.to_string();
            return Err(LoadError::RuntimeBroken { runtime, path: folder.to_owned(), reason });
        }
    };
    let is_library = |path: &PathBuf| {
        path.file_name().and_then(|name| name.to_str()).is_some_and(|name| name.starts_with(prefix))
    };
    let path = entries.filter_map(Result::ok).map(|entry| entry.path()).filter(is_library).min();
    path.map(|path| fs::canonicalize(&path).unwrap_or(path)).ok_or_else(missing)
}

/// Why one run of a model failed.
#[derive(Debug, thiserror::Error)]
#[error("the model could not be run")]
pub struct RunError {
    #[source]
    source: Box<dyn std::error::Error + Send + Sync>,
}

impl RunError {
    /// Wraps what a runtime reported.
    pub fn new(source: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self { source: Box::new(source) }
    }
}

/// A library that runs models.
pub trait Runtime: fmt::Debug + Send {
    /// What it is.
    fn info(&self) -> &RuntimeInfo;

    /// Maps an ONNX file, which must not change while the model is in use; instances compute in `precision`, on one thread each.
    fn load(&self, model: &Path, precision: Precision) -> Result<Box<dyn LoadedModel>, LoadError>;
}

/// A model that was read, ready to make instances.
pub trait LoadedModel: fmt::Debug + Send {
    /// Compiles one more instance. Blocks for tens to hundreds of milliseconds.
    fn instance(&mut self) -> Result<Box<dyn ModelInstance>, LoadError>;
}

/// A compiled model with its own tensors; runs on the thread that calls it.
pub trait ModelInstance: fmt::Debug + Send {
    /// Dimensions of the only input.
    fn input_shape(&self) -> &[usize];

    /// The input tensor, written in place; keeps its values from run to run.
    fn input_mut(&mut self) -> Result<&mut [f32], RunError>;

    /// Computes the outputs. Blocks until they are there.
    fn run(&mut self) -> Result<(), RunError>;

    /// Names and dimensions of the outputs.
    fn outputs(&self) -> &[OutputInfo];

    /// Values of output `index` after the last run.
    fn output(&self, index: usize) -> Result<&[f32], RunError>;
}

/// Name and dimensions of one output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutputInfo {
    /// As in the model file.
    pub name: String,
    /// Dimensions, outermost first.
    pub shape: Vec<usize>,
}

/// What a runtime said, on one line and no longer than people read.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Said(String);

const MOST_SAID: usize = 400;

/// A refusal by `runtime`, whose own words may fill a page.
fn refused(runtime: RuntimeName, step: &'static str, said: &dyn std::error::Error) -> LoadError {
    let words = said.to_string().split_whitespace().collect::<Vec<_>>().join(" ");
    let said = Said(words.chars().take(MOST_SAID).collect());
    LoadError::Refused { runtime, step, source: Box::new(said) }
}

/// The dimensions of a tensor, if they are fixed and of a size that makes sense; `what` names it in the error.
fn checked_shape(what: &str, dimensions: &[i64]) -> Result<Vec<usize>, LoadError> {
    let wrong = |why: &str| LoadError::Contract(format!("{what} has {why} ({dimensions:?})"));
    let fixed: Option<Vec<usize>> = dimensions.iter().map(|size| usize::try_from(*size).ok()).collect();
    let fixed = fixed.ok_or_else(|| wrong("no fixed shape"))?;
    let elements = fixed.iter().try_fold(1_usize, |product, size| product.checked_mul(*size));
    match elements {
        Some(0) => Err(wrong("no values")),
        Some(count) if count <= MAX_ELEMENTS => Ok(fixed),
        _ => Err(wrong("too many values")),
    }
}

#[cfg(test)]
mod tests;
