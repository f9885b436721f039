//! `OpenVINO` through its C library, which is loaded at run time from an explicit folder.
//!
//! Every instance is a compiled model of its own with one stream and one thread: it then runs on the calling thread.
//! Requests that share one compiled model are handed to the library's threads and wait for each other (measured on
//! two cores: 17 to 21 ms a picture at two requests at once, 10 to 13 ms with a compiled model each).

use std::{fmt, io, path::Path};

use openvino::{
    CompiledModel, Core, DeviceType, ElementType, InferRequest, InferenceError, Model, Node, PropertyKey,
    RwPropertyKey, Shape, Tensor,
};

use super::{
    LoadError, LoadedModel, ModelInstance, OutputInfo, Precision, RunError, Runtime, RuntimeInfo,
    RuntimeName, checked_shape, find_library,
};

/// Folder of the libraries below the product's data directory.
pub const FOLDER: &str = "runtimes/openvino-2026.4.0";
const NAME: RuntimeName = RuntimeName::OpenVino;

/// The loaded library. It stays in the process until its end; the first folder that was loaded wins.
#[derive(Debug)]
pub struct OpenVino {
    info: RuntimeInfo,
}

impl OpenVino {
    /// Loads the library below `home`, the product's data directory.
    pub fn open(home: &Path) -> Result<Self, LoadError> {
        let path = find_library(NAME, &home.join(FOLDER), "libopenvino_c.so")?;
        let broken = |reason: String| LoadError::RuntimeBroken { runtime: NAME, path: path.clone(), reason };
        openvino_sys::library::load_from(&path).map_err(broken)?;
        let core = Core::new().map_err(|error| broken(error.to_string()))?;
        let devices = core.available_devices().map_err(|error| broken(error.to_string()))?;
        let devices: Vec<String> = devices.iter().map(|device| device.as_ref().to_owned()).collect();
        if !devices.iter().any(|device| device == "CPU") {
            return Err(broken("its CPU plugin is missing".to_owned()));
        }
        let version = openvino::version().build_number;
        Ok(Self { info: RuntimeInfo { name: NAME, version, path, devices } })
    }
}

impl Runtime for OpenVino {
    fn info(&self) -> &RuntimeInfo {
        &self.info
    }

    fn load(&self, model: &Path, precision: Precision) -> Result<Box<dyn LoadedModel>, LoadError> {
        let mut core = Core::new().map_err(|source| refused("start", source))?;
        let settings = [
            (RwPropertyKey::HintPerformanceMode, "LATENCY"),
            (RwPropertyKey::NumStreams, "1"),
            (RwPropertyKey::InferenceNumThreads, "1"),
            // Pinning puts the only thread of every instance (and of every process) on the same core.
            (RwPropertyKey::HintEnableCpuPinning, "NO"),
            // Left alone it picks bf16 wherever the CPU has it.
            (RwPropertyKey::HintInferencePrecision, precision.as_str()),
        ];
        core.set_properties(&DeviceType::CPU, settings)
            .map_err(|source| refused("take its settings", source))?;
        let path = model.to_str().ok_or_else(|| {
            let reason = format!("{} is not valid UTF-8", model.display());
            refused("open the model", io::Error::new(io::ErrorKind::InvalidFilename, reason))
        })?;
        // An ONNX file has its weights inside: no second path.
        let model =
            core.read_model_from_file(path, "").map_err(|source| refused("read the model", source))?;
        if model.is_dynamic() {
            return Err(LoadError::Contract(
                "its tensors have no fixed shape; export it with one".to_owned(),
            ));
        }
        Ok(Box::new(OpenVinoModel { core, model, precision }))
    }
}

fn refused(step: &'static str, source: impl std::error::Error) -> LoadError {
    super::refused(NAME, step, &source)
}

struct OpenVinoModel {
    core: Core,
    model: Model,
    precision: Precision,
}

impl fmt::Debug for OpenVinoModel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpenVinoModel").field("precision", &self.precision).finish_non_exhaustive()
    }
}

impl LoadedModel for OpenVinoModel {
    fn instance(&mut self) -> Result<Box<dyn ModelInstance>, LoadError> {
        let compiled = self
            .core
            .compile_model(&self.model, DeviceType::CPU)
            .map_err(|source| refused("compile the model", source))?;
        check_precision(&compiled, self.precision)?;
        Ok(Box::new(OpenVinoInstance::new(compiled)?))
    }
}

/// A CPU without the instructions makes the library fall back without a word.
fn check_precision(compiled: &CompiledModel, wanted: Precision) -> Result<(), LoadError> {
    let key = PropertyKey::Rw(RwPropertyKey::HintInferencePrecision);
    let chosen = compiled.get_property(&key).map_err(|source| refused("tell its precision", source))?;
    if chosen == wanted.as_str() {
        return Ok(());
    }
    Err(LoadError::Precision { runtime: NAME, wanted, chosen: chosen.into_owned() })
}

struct OpenVinoInstance {
    request: InferRequest,
    input: Tensor,
    input_shape: Vec<usize>,
    outputs: Vec<Tensor>,
    output_infos: Vec<OutputInfo>,
    // Dropped after what was made from it.
    _compiled: CompiledModel,
}

impl fmt::Debug for OpenVinoInstance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpenVinoInstance").field("outputs", &self.output_infos).finish_non_exhaustive()
    }
}

impl OpenVinoInstance {
    /// Gives the request tensors of ours, so that nothing is copied in or out and their addresses never change.
    fn new(mut compiled: CompiledModel) -> Result<Self, LoadError> {
        let setup = |source: InferenceError| refused("make an instance", source);
        let mut request = compiled.create_infer_request().map_err(setup)?;
        if compiled.get_input_size().map_err(setup)? != 1 {
            return Err(LoadError::Contract("it has more than one input".to_owned()));
        }
        let (input, input_shape) = tensor_of(&compiled.get_input_by_index(0).map_err(setup)?)?;
        request.set_input_tensor_by_index(0, &input).map_err(setup)?;
        let (mut outputs, mut output_infos) = (Vec::new(), Vec::new());
        for index in 0..compiled.get_output_size().map_err(setup)? {
            let node = compiled.get_output_by_index(index).map_err(setup)?;
            let (tensor, shape) = tensor_of(&node)?;
            request.set_output_tensor_by_index(index, &tensor).map_err(setup)?;
            outputs.push(tensor);
            output_infos.push(OutputInfo { name: node.get_name().map_err(setup)?, shape });
        }
        Ok(Self { request, input, input_shape, outputs, output_infos, _compiled: compiled })
    }
}

/// A tensor that fits an input or output of the compiled model, and its dimensions.
fn tensor_of(node: &Node) -> Result<(Tensor, Vec<usize>), LoadError> {
    let setup = |source: InferenceError| refused("describe the model", source);
    let element = node.get_element_type().map_err(setup)?;
    if element != ElementType::F32 {
        return Err(LoadError::Contract(format!("a tensor holds {element}, not f32")));
    }
    // Dynamic dimensions fail here: a compiled port without a fixed shape has none to give.
    let shape: Shape = node.get_shape().map_err(setup)?;
    let dimensions = checked_shape("a tensor", shape.get_dimensions())?;
    let tensor = Tensor::new(ElementType::F32, &shape).map_err(setup)?;
    Ok((tensor, dimensions))
}

impl ModelInstance for OpenVinoInstance {
    fn input_shape(&self) -> &[usize] {
        &self.input_shape
    }

    fn input_mut(&mut self) -> Result<&mut [f32], RunError> {
        self.input.get_data_mut::<f32>().map_err(RunError::new)
    }

    fn run(&mut self) -> Result<(), RunError> {
        self.request.infer().map_err(RunError::new)
    }

    fn outputs(&self) -> &[OutputInfo] {
        &self.output_infos
    }

    fn output(&self, index: usize) -> Result<&[f32], RunError> {
        self.outputs[index].get_data::<f32>().map_err(RunError::new)
    }
}
