//! The models of one call: each is loaded once and runs as one instance per worker.

use std::{collections::BTreeSet, path::Path};

use anyhow::{Result, bail};
use ocelli_analyze::{DetectorConfig, DetectorModel, Upstream, load};
use ocelli_engine::{AnalyzeWork, AnalyzerFacts};
use ocelli_media::{
    libav::{Acceleration, decoder_identity},
    sampler::SAMPLER_VERSION,
};

use super::outputs::ModelName;
use crate::{cli::Analyze, home::home};

/// In the order of the command line.
#[derive(Debug)]
pub(super) struct Models(Vec<DetectorModel>);

impl Models {
    pub(super) fn load(options: &Analyze, acceleration: Option<Acceleration>) -> Result<Self> {
        let named = options.model.iter().map(|model| Some(model.clone()));
        let named: Vec<Option<String>> = if options.model.is_empty() { vec![None] } else { named.collect() };
        let mut models = Vec::new();
        for model in named {
            let config = DetectorConfig {
                model,
                confidence: options.confidence,
                classes: options.classes.clone(),
                runtime: options.runtime,
                precision: options.precision.map(Into::into),
            };
            let decoder = decoder_identity(acceleration);
            let upstream = Upstream { sampler: SAMPLER_VERSION, decoder: &decoder };
            models.push(match (load(&config, &home(), upstream), &config.model) {
                (Err(_), Some(list)) if list.contains(',') && !Path::new(list).is_file() => {
                    bail!(
                        "--model names one model; give it once for each: --model {}",
                        list.replace(',', " --model ")
                    )
                }
                (loaded, _) => loaded?,
            });
        }
        let mut versions = BTreeSet::new();
        if let Some(twice) = models.iter().find(|model| !versions.insert(model.version().clone())) {
            bail!("model {} is named twice", twice.entry().id);
        }
        Ok(Self(models))
    }

    /// One worker per instance; each runs every model, so that they share the decoding of a picture.
    pub(super) fn workers(&mut self, instances: usize, keeps_picture: bool) -> Result<Vec<AnalyzeWork>> {
        let worker = |_| {
            let analyzers = self.0.iter_mut().map(DetectorModel::instance).collect::<Result<_, _>>()?;
            Ok(AnalyzeWork::new(analyzers, keeps_picture))
        };
        (0..instances).map(worker).collect()
    }

    pub(super) fn facts(&self) -> Vec<AnalyzerFacts> {
        self.0.iter().map(AnalyzerFacts::from).collect()
    }

    pub(super) fn names(&self) -> Vec<ModelName> {
        let name = |model: &DetectorModel| ModelName {
            id: model.entry().id.clone(),
            version: model.version().clone(),
        };
        self.0.iter().map(name).collect()
    }
}
