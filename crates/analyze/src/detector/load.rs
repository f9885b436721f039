//! From a configuration to detectors ready to run.

use std::{path::Path, sync::Arc};

use ocelli_media::pixel::tensor::TensorWriter;
use ocelli_model::{AnalyzerVersion, VersionBuilder};

use super::{Detector, Filter, contract::Contract, labels::UnknownClass, nms};
use crate::{
    analyzer::Analyzer,
    catalogue::{Catalogue, CatalogueError, DEFAULT_MODEL, ModelEntry, ModelFile, Origin},
    cpu::{CpuFeatures, cpu_features},
    lock::{self, FILE as LOCK_FILE, LockEntry, LockError},
    runtime::{LoadError, LoadedModel, Precision, Runtime, RuntimeName, first_installed},
};

/// Lowest confidence reported where the user names none.
const DEFAULT_CONFIDENCE: f32 = 0.4;
/// Raised when preprocessing or the reading of outputs changes what is found.
const REVISION: u32 = 1;

/// What to look for and with what.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DetectorConfig {
    /// Id in the catalogue, or the path of a file whose checksum is in the catalogue; the default model if `None`.
    pub model: Option<String>,
    /// Lowest confidence, above 0 and at most 1; 0.4 if `None`.
    pub confidence: Option<f32>,
    /// Names of the classes to report; all if `None`.
    pub classes: Option<Vec<String>>,
    /// Runs on this runtime whatever the lock file says, and leaves that file alone.
    pub runtime: Option<RuntimeName>,
    /// Runs in this precision whatever the lock file says, and leaves that file alone.
    pub precision: Option<Precision>,
}

/// Versions of what lies before the detector and can change its results.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Upstream<'a> {
    /// Of the sampler.
    pub sampler: &'a str,
    /// Of the decoding library.
    pub decoder: &'a str,
}

/// Why a detector could not be made ready.
#[derive(Debug, thiserror::Error)]
pub enum DetectorError {
    /// Outside its range.
    #[error("confidence {0} is not above 0 and at most 1")]
    Confidence(f32),
    /// Every class was filtered out.
    #[error("the list of classes is empty")]
    NoClasses,
    /// Not a class of the model.
    #[error(transparent)]
    Class(#[from] UnknownClass),
    /// The model's file cannot be used.
    #[error(transparent)]
    Catalogue(#[from] CatalogueError),
    /// The lock file cannot be used.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// The lock file names a runtime that no release has had so far.
    #[error(
        "{LOCK_FILE} runs model {model} on {runtime:?}, which this build does not know; `ocelli models bench {model}` chooses another"
    )]
    Runtime {
        /// Id of the model.
        model: String,
        /// As in the lock file.
        runtime: String,
    },
    /// The lock file names a runtime that is not installed.
    #[error("{LOCK_FILE} runs model {model} on {}, which is not here; `./dev setup` fetches it, `ocelli models bench {model}` chooses another", runtime.title())]
    RuntimeGone {
        /// Id of the model.
        model: String,
        /// As in the lock file.
        runtime: RuntimeName,
        /// Where it was looked for.
        #[source]
        source: LoadError,
    },
    /// The runtime is missing or refuses the model.
    #[error(transparent)]
    Load(#[from] LoadError),
}

/// A model that was read, checked and configured; makes one detector per core.
#[derive(Debug)]
pub struct DetectorModel {
    loaded: Box<dyn LoadedModel>,
    // The instance that proved the contract serves the first caller.
    first: Option<Detector>,
    entry: Arc<ModelEntry>,
    contract: Contract,
    filter: Filter,
    ingredients: VersionBuilder,
    version: AnalyzerVersion,
}

/// Reads the model and the runtime below `home`, the product's data directory. Blocks for some hundred milliseconds.
pub fn load(
    config: &DetectorConfig,
    home: &Path,
    upstream: Upstream<'_>,
) -> Result<DetectorModel, DetectorError> {
    let confidence = config.confidence.unwrap_or(DEFAULT_CONFIDENCE);
    if !(confidence > 0.0 && confidence <= 1.0) {
        return Err(DetectorError::Confidence(confidence));
    }
    let catalogue = Catalogue::open(home).map_err(CatalogueError::from)?;
    let file = catalogue.find(config.model.as_deref().unwrap_or(DEFAULT_MODEL))?;
    let cpu = cpu_features();
    let (runtime, precision) = choose(config, home, catalogue.folder(), &file, &cpu)?;
    let mut loaded = runtime.load(&file.path, precision)?;
    let instance = loaded.instance()?;
    let contract = Contract::new(file.entry.family, file.entry.labels.clone(), &*instance)?;
    let filter = Filter { confidence, wanted: wanted(&contract, config)? };
    let ingredients = VersionBuilder::default()
        .with("model", &file.sha256)
        .with("precision", precision)
        .with("runtime", runtime.info().name)
        .with("runtime version", &runtime.info().version)
        .with("cpu class", cpu.class())
        .with("sampler", upstream.sampler)
        .with("decoder", upstream.decoder);
    let ingredients = with_labels(with_parameters(ingredients, &contract, &filter), &file.entry);
    let version = ingredients.build();
    let mut model =
        DetectorModel { loaded, first: None, entry: file.entry, contract, filter, ingredients, version };
    model.first = Some(model.assemble(instance));
    Ok(model)
}

fn wanted(contract: &Contract, config: &DetectorConfig) -> Result<Vec<bool>, DetectorError> {
    let wanted = contract.labels.wanted(config.classes.as_deref())?;
    if wanted.contains(&true) { Ok(wanted) } else { Err(DetectorError::NoClasses) }
}

/// Adds what the detector itself contributes to the analyzer version.
fn with_parameters(ingredients: VersionBuilder, contract: &Contract, filter: &Filter) -> VersionBuilder {
    let classes = filter.wanted.iter().map(|wanted| if *wanted { '1' } else { '0' }).collect::<String>();
    ingredients
        .with("detector", REVISION)
        .with("preprocessing", contract.preprocessing())
        .with("confidence", filter.confidence)
        .with("classes", classes)
        .with("overlap", contract.overlap)
        .with("most candidates", nms::MAX_CANDIDATES)
}

/// The labels of a model that comes with a release are fixed by its checksum; a user may change others.
fn with_labels(ingredients: VersionBuilder, entry: &ModelEntry) -> VersionBuilder {
    if entry.origin != Origin::Added {
        return ingredients;
    }
    ingredients.with("labels", entry.labels.names().collect::<Vec<_>>().join("\n"))
}

/// What the configuration says, else what the lock file says, else the first runtime that is installed and the precision it
/// favours on this CPU. The last is written down where the configuration leaves everything open.
fn choose(
    config: &DetectorConfig,
    home: &Path,
    folder: &Path,
    file: &ModelFile,
    cpu: &CpuFeatures,
) -> Result<(Box<dyn Runtime>, Precision), DetectorError> {
    let locked = match (config.runtime, config.precision) {
        (Some(runtime), Some(precision)) => return Ok((runtime.open(home)?, precision)),
        (None, None) => Some(lock::obey_or_choose(folder, &file.sha256, || first_choice(home, file, cpu))?),
        _ => lock::peek(folder, &file.sha256)?,
    };
    let locked = locked.map(|entry| Ok::<_, DetectorError>((locked_runtime(file, &entry)?, entry.precision)));
    let locked = locked.transpose()?;
    let runtime = match (config.runtime, locked) {
        (Some(name), _) => name.open(home)?,
        (None, Some((name, _))) => open_locked(file, name, home)?,
        (None, None) => first_installed(home)?,
    };
    let name = runtime.info().name;
    let of_lock = locked.filter(|(locked, _)| *locked == name).map(|(_, precision)| precision);
    let precision = config.precision.or(of_lock).unwrap_or_else(|| name.favoured(cpu));
    Ok((runtime, precision))
}

fn first_choice(home: &Path, file: &ModelFile, cpu: &CpuFeatures) -> Result<LockEntry, DetectorError> {
    let runtime = first_installed(home)?;
    let info = runtime.info();
    Ok(LockEntry {
        model: file.entry.id.clone(),
        runtime: info.name.to_string(),
        runtime_version: info.version.clone(),
        precision: info.name.favoured(cpu),
        cpu_class: cpu.class(),
    })
}

fn locked_runtime(file: &ModelFile, entry: &LockEntry) -> Result<RuntimeName, DetectorError> {
    let unknown =
        |_error| DetectorError::Runtime { model: file.entry.id.clone(), runtime: entry.runtime.clone() };
    entry.runtime.parse().map_err(unknown)
}

fn open_locked(file: &ModelFile, name: RuntimeName, home: &Path) -> Result<Box<dyn Runtime>, DetectorError> {
    name.open(home).map_err(|error| match error {
        LoadError::RuntimeMissing { .. } => {
            DetectorError::RuntimeGone { model: file.entry.id.clone(), runtime: name, source: error }
        }
        error => error.into(),
    })
}

impl DetectorModel {
    /// The catalogue's entry of the model.
    pub fn entry(&self) -> &ModelEntry {
        &self.entry
    }

    /// Hash of everything that can change a result.
    pub fn version(&self) -> &AnalyzerVersion {
        &self.version
    }

    /// What the version was made from.
    pub fn ingredients(&self) -> &VersionBuilder {
        &self.ingredients
    }

    /// One more detector. The first is there already, each further one is compiled: some hundred milliseconds.
    pub fn detector(&mut self) -> Result<Detector, LoadError> {
        if let Some(detector) = self.first.take() {
            return Ok(detector);
        }
        let instance = self.loaded.instance()?;
        Ok(self.assemble(instance))
    }

    /// [`DetectorModel::detector`] behind the analyzers' trait.
    pub fn instance(&mut self) -> Result<Box<dyn Analyzer>, LoadError> {
        Ok(Box::new(self.detector()?))
    }

    fn assemble(&self, instance: Box<dyn crate::runtime::ModelInstance>) -> Detector {
        Detector {
            instance,
            writer: TensorWriter::new(self.contract.spec),
            contract: self.contract.clone(),
            filter: self.filter.clone(),
            version: self.version.clone(),
            candidates: Vec::new(),
        }
    }
}
