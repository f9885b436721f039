//! ONNX Runtime through its C library, which is loaded at run time from an explicit folder.
//!
//! Every instance is a session of its own with one thread, the caller's: threads that spin while they wait for work
//! collapse when cores are shared (38 to 80 ms a picture, measured). Its CPU provider is the only one that is used.

#![expect(unsafe_code, reason = "the safe wrapper names no providers but those it was compiled for")]

use std::{
    ffi::{CStr, c_char, c_int},
    fmt,
    path::{Path, PathBuf},
    ptr, slice,
    sync::{Arc, Mutex, PoisonError},
};

use ort::{
    environment::Environment,
    logging::LogLevel,
    session::{IoBinding, Session, builder::GraphOptimizationLevel},
    value::{Outlet, Tensor, TensorElementType, ValueType},
};

use super::{
    LoadError, LoadedModel, ModelInstance, OutputInfo, Precision, RunError, Runtime, RuntimeInfo,
    RuntimeName, checked_shape, find_library,
};

/// Folder of the library below the product's data directory.
pub const FOLDER: &str = "runtimes/onnxruntime-1.31.1";
const NAME: RuntimeName = RuntimeName::OnnxRuntime;

/// The loaded library and its environment. The library allows one environment in the life of a process and makes no
/// second one after the first is gone, so it is kept here; the first folder that was loaded wins.
static LOADED: Mutex<Option<Loaded>> = Mutex::new(None);

#[derive(Clone)]
struct Loaded {
    environment: Environment,
    path: PathBuf,
}

/// The loaded library.
#[derive(Debug)]
pub struct OnnxRuntime {
    environment: Environment,
    info: RuntimeInfo,
}

impl OnnxRuntime {
    /// Loads the library below `home`, the product's data directory.
    pub fn open(home: &Path) -> Result<Self, LoadError> {
        let path = find_library(NAME, &home.join(FOLDER), "libonnxruntime.so")?;
        let broken = |reason: String| LoadError::RuntimeBroken { runtime: NAME, path: path.clone(), reason };
        let mut kept = LOADED.lock().unwrap_or_else(PoisonError::into_inner);
        let Loaded { environment, path } = match &*kept {
            Some(loaded) => loaded.clone(),
            None => kept.insert(start(&path).map_err(broken)?).clone(),
        };
        drop(kept);
        let info = RuntimeInfo { name: NAME, version: version(&path), path, devices: devices() };
        Ok(Self { environment, info })
    }
}

fn start(path: &Path) -> Result<Loaded, String> {
    let builder = ort::init_from(path).map_err(|error| error.to_string())?;
    let environment = builder
        .with_name("ocelli")
        .with_telemetry(false)
        // Left alone it writes to standard error. What matters comes back as an error as well.
        .with_logger(Arc::new(|level, category: &str, _id: &str, place: &str, message: &str| {
            tracing::debug!(?level, category, place, "{message}");
        }))
        .build()
        .map_err(|error| error.to_string())?;
    environment.set_log_level(LogLevel::Warning);
    Ok(Loaded { environment, path: path.to_owned() })
}

/// The library tells the commit it was built from; its release stands in its file's name.
fn version(path: &Path) -> String {
    let text = ort::info();
    let commit = text.split_once("git-commit-id=").map_or(text, |(_, rest)| rest);
    let commit = commit.split(',').next().unwrap_or(commit).trim();
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    match name.strip_prefix("libonnxruntime.so.") {
        Some(release) => format!("{release}-{commit}"),
        None => commit.to_owned(),
    }
}

/// Providers that the library was built with and that compute on this machine (one calls a service of its maker's). Of
/// these only CPU is used.
fn devices() -> Vec<String> {
    let (mut names, mut count): (*mut *mut c_char, c_int) = (ptr::null_mut(), 0);
    // SAFETY: both pointers are valid for writes; the status is taken over by `result_from_status`.
    let asked = unsafe {
        ort::Error::result_from_status((ort::api().GetAvailableProviders)(&raw mut names, &raw mut count))
    };
    if asked.is_err() || names.is_null() {
        return vec!["CPU".to_owned()];
    }
    // SAFETY: the library made an array of that many texts, each ended by a zero byte, for us to give back.
    let devices = unsafe {
        let texts = slice::from_raw_parts(names, usize::try_from(count).unwrap_or(0));
        let devices = texts.iter().map(|text| CStr::from_ptr(*text).to_string_lossy().into_owned());
        let devices: Vec<String> = devices.collect();
        ort::Error::result_from_status((ort::api().ReleaseAvailableProviders)(names, count)).ok();
        devices
    };
    let short = |name: String| name.strip_suffix("ExecutionProvider").map(str::to_owned).unwrap_or(name);
    devices.into_iter().map(short).filter(|name| name != "Azure").collect()
}

fn refused(step: &'static str) -> impl Fn(ort::Error) -> LoadError {
    move |source| super::refused(NAME, step, &source)
}

impl Runtime for OnnxRuntime {
    fn info(&self) -> &RuntimeInfo {
        &self.info
    }

    fn load(&self, model: &Path, precision: Precision) -> Result<Box<dyn LoadedModel>, LoadError> {
        if precision != Precision::F32 {
            let chosen = Precision::F32.to_string();
            return Err(LoadError::Precision { runtime: NAME, wanted: precision, chosen });
        }
        Ok(Box::new(OnnxModel { environment: self.environment.clone(), path: model.to_owned() }))
    }
}

#[derive(Debug)]
struct OnnxModel {
    environment: Environment,
    path: PathBuf,
}

impl LoadedModel for OnnxModel {
    fn instance(&mut self) -> Result<Box<dyn ModelInstance>, LoadError> {
        let session = self.session().map_err(refused("read the model"))?;
        Ok(Box::new(OnnxInstance::new(session)?))
    }
}

impl OnnxModel {
    fn session(&self) -> ort::Result<Session> {
        Session::builder(&self.environment)?
            .with_optimization_level(GraphOptimizationLevel::All)?
            .with_intra_threads(1)?
            .with_inter_threads(1)?
            .with_intra_op_spinning(false)?
            .with_inter_op_spinning(false)?
            .with_log_level(LogLevel::Warning)?
            .commit_from_file(&self.path)
    }
}

struct OnnxInstance {
    // Bound to the tensors below: nothing is copied in or out, and their addresses never change.
    binding: IoBinding,
    session: Session,
    input: Tensor<f32>,
    input_shape: Vec<usize>,
    outputs: Vec<Tensor<f32>>,
    output_infos: Vec<OutputInfo>,
}

impl fmt::Debug for OnnxInstance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OnnxInstance").field("outputs", &self.output_infos).finish_non_exhaustive()
    }
}

impl OnnxInstance {
    fn new(session: Session) -> Result<Self, LoadError> {
        let setup = refused("make an instance");
        let [input] = session.inputs() else {
            return Err(LoadError::Contract("it has more than one input".to_owned()));
        };
        let mut binding = session.create_binding().map_err(&setup)?;
        let (input, input_shape) = (input.name().to_owned(), shape_of(input)?);
        let tensor = |shape: &[usize]| Tensor::<f32>::new(session.allocator(), shape.to_vec());
        let input_tensor = tensor(&input_shape).map_err(&setup)?;
        binding.bind_input(input, &input_tensor).map_err(&setup)?;
        let (mut outputs, mut output_infos) = (Vec::new(), Vec::new());
        for outlet in session.outputs() {
            let shape = shape_of(outlet)?;
            let mut output = tensor(&shape).map_err(&setup)?;
            binding.bind_output(outlet.name(), &mut output).map_err(&setup)?;
            outputs.push(output);
            output_infos.push(OutputInfo { name: outlet.name().to_owned(), shape });
        }
        Ok(Self { binding, session, input: input_tensor, input_shape, outputs, output_infos })
    }
}

fn shape_of(outlet: &Outlet) -> Result<Vec<usize>, LoadError> {
    match outlet.dtype() {
        ValueType::Tensor { ty: TensorElementType::Float32, shape, .. } => {
            checked_shape(&format!("tensor {:?}", outlet.name()), shape)
        }
        other => Err(LoadError::Contract(format!("tensor {:?} holds {other}, not f32", outlet.name()))),
    }
}

impl ModelInstance for OnnxInstance {
    fn input_shape(&self) -> &[usize] {
        &self.input_shape
    }

    fn input_mut(&mut self) -> Result<&mut [f32], RunError> {
        Ok(self.input.try_extract_tensor_mut::<f32>().map_err(RunError::new)?.1)
    }

    fn run(&mut self) -> Result<(), RunError> {
        self.session.run_binding(&self.binding).map(drop).map_err(RunError::new)
    }

    fn outputs(&self) -> &[OutputInfo] {
        &self.output_infos
    }

    fn output(&self, index: usize) -> Result<&[f32], RunError> {
        Ok(self.outputs[index].try_extract_tensor::<f32>().map_err(RunError::new)?.1)
    }
}
