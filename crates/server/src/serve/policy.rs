//! Sources that can be refused before anything is opened.

use std::sync::Arc;

use ocelli_api::SourcePolicy;
use ocelli_engine::StreamSpec;
use ocelli_ingest::pull::Opener;

/// What the opener would refuse, said at once.
#[derive(Debug)]
pub(super) struct Early {
    pub(super) opener: Arc<Opener>,
}

impl SourcePolicy for Early {
    fn check(&self, spec: &StreamSpec) -> Result<(), String> {
        self.opener.check(&spec.source).map_err(|error| crate::ending::chain(&error.into()))
    }
}
