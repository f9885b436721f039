//! Models, loaded once for all streams: one instance per thread of the pool, taken for a picture and put back.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use ocelli_analyze::Analyzer;
use ocelli_media::libav::Frame;

use super::ModelSpec;
use crate::{AnalyzerFacts, Failure, Look, analysis::look};

/// Loads models; given by whoever knows where they are.
pub trait LoadModels: Send + Sync + fmt::Debug {
    /// `instances` of what `spec` describes, behind the decoder of this identity. Blocks for some hundred milliseconds.
    /// An error is one line for the user.
    fn load(&self, spec: &ModelSpec, decoder: &str, instances: usize) -> Result<Loaded, String>;
}

/// A model that is ready.
pub struct Loaded {
    /// As the store knows it.
    pub facts: AnalyzerFacts,
    /// One for each thread that may look at once.
    pub instances: Vec<Box<dyn Analyzer>>,
}

impl fmt::Debug for Loaded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Loaded").field("facts", &self.facts).finish_non_exhaustive()
    }
}

/// A model that streams share. The last of them takes it along.
pub(super) struct SharedModel {
    pub(super) facts: AnalyzerFacts,
    idle: Mutex<Vec<Box<dyn Analyzer>>>,
}

impl SharedModel {
    /// Computes on the calling thread.
    pub(super) fn look(&self, frame: &Frame) -> Look {
        let taken = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        // As many as the pool has threads.
        let Some(analyzer) = taken else {
            return Look::Failed(Failure { reason: "no instance of the model is left".to_owned() });
        };
        let mut lent = Lent { shelf: &self.idle, analyzer: Some(analyzer) };
        let analyzer = lent.analyzer.as_mut().expect("it goes back when this is over");
        look(&mut **analyzer, frame)
    }
}

/// Comes back, also out of a panic: one stream's picture must not take the model from all others.
struct Lent<'a> {
    shelf: &'a Mutex<Vec<Box<dyn Analyzer>>>,
    analyzer: Option<Box<dyn Analyzer>>,
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        self.shelf.lock().unwrap_or_else(PoisonError::into_inner).extend(self.analyzer.take());
    }
}

impl fmt::Debug for SharedModel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedModel").field("facts", &self.facts).finish_non_exhaustive()
    }
}

/// The models in use.
#[derive(Debug)]
pub(super) struct Shelf {
    loader: Arc<dyn LoadModels>,
    instances: usize,
    in_use: Mutex<BTreeMap<String, std::sync::Weak<SharedModel>>>,
}

impl Shelf {
    pub(super) fn new(loader: Arc<dyn LoadModels>, instances: usize) -> Self {
        Self { loader, instances, in_use: Mutex::default() }
    }

    /// The model as other streams use it, else loaded now. Streams that ask meanwhile wait: two that start together load once.
    pub(super) fn get(&self, spec: &ModelSpec, decoder: &str) -> Result<Arc<SharedModel>, String> {
        let key = format!("{decoder} {}", serde_json::to_string(spec).map_err(|error| error.to_string())?);
        let mut in_use = self.in_use.lock().unwrap_or_else(PoisonError::into_inner);
        in_use.retain(|_, model| model.strong_count() > 0);
        if let Some(model) = in_use.get(&key).and_then(std::sync::Weak::upgrade) {
            return Ok(model);
        }
        let Loaded { facts, instances } = self.loader.load(spec, decoder, self.instances)?;
        let model = Arc::new(SharedModel { facts, idle: Mutex::new(instances) });
        in_use.insert(key, Arc::downgrade(&model));
        Ok(model)
    }
}
