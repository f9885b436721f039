//! Models for streams: loaded from the data directory, listed for clients.

use std::path::PathBuf;

use ocelli_analyze::{
    DetectorConfig, DetectorModel, Upstream,
    catalogue::{Catalogue, DEFAULT_MODEL, ModelStatus},
    load,
};
use ocelli_api::ModelView;
use ocelli_engine::{AnalyzerFacts, LoadModels, Loaded, ModelSpec};
use ocelli_media::sampler::SAMPLER_VERSION;

use crate::ending::chain;

/// Loads models of one data directory.
#[derive(Debug)]
pub(super) struct HomeModels(pub(super) PathBuf);

impl LoadModels for HomeModels {
    fn load(&self, spec: &ModelSpec, decoder: &str, instances: usize) -> Result<Loaded, String> {
        let config = DetectorConfig {
            model: spec.model.clone(),
            confidence: spec.confidence,
            classes: spec.classes.clone(),
            runtime: None,
            precision: None,
        };
        let named = config.model.as_deref().unwrap_or(DEFAULT_MODEL).to_owned();
        let told = |error: anyhow::Error| format!("model {named}: {}", chain(&error));
        let upstream = Upstream { sampler: SAMPLER_VERSION, decoder };
        let mut model: DetectorModel =
            load(&config, &self.0, upstream).map_err(|error| told(error.into()))?;
        let loaded = (0..instances).map(|_| model.instance()).collect::<Result<_, _>>();
        let instances = loaded.map_err(|error| told(error.into()))?;
        Ok(Loaded { facts: AnalyzerFacts::from(&model), instances })
    }
}

/// What clients may name. A catalogue that cannot be read is told in the log, and those of the release remain.
pub(super) fn listed(home: &std::path::Path) -> Vec<ModelView> {
    let catalogue = Catalogue::open(home).unwrap_or_else(|error| {
        tracing::warn!(error = %chain(&error.into()), "models that were added cannot be used");
        Catalogue::built_in(home)
    });
    let view =
        |(entry, status): (std::sync::Arc<ocelli_analyze::catalogue::ModelEntry>, ModelStatus)| ModelView {
            id: entry.id.clone(),
            description: entry.description.clone(),
            licence: entry.licence.clone(),
            classes: entry.labels.classes().map(ToOwned::to_owned).collect(),
            installed: matches!(status, ModelStatus::Present { .. }),
            default: entry.id == DEFAULT_MODEL,
        };
    catalogue.list().into_iter().map(view).collect()
}
