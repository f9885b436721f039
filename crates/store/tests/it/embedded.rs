//! The embedded backend.

use std::{path::Path, sync::Arc};

use ocelli_store::{Access, SqliteStore};
use tempfile::TempDir;
use tokio::sync::Mutex;

use crate::backend::{Backend, Store};

/// Stores in a folder that goes with this.
pub(crate) struct Sqlite {
    folder: TempDir,
    opened: Mutex<Option<Arc<SqliteStore>>>,
}

#[async_trait::async_trait]
impl Backend for Sqlite {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), opened: Mutex::default() }
    }

    async fn open(&self) -> Arc<dyn Store> {
        self.close().await;
        let store = Arc::new(SqliteStore::open(self.path(), Access::Write).await.unwrap());
        *self.opened.lock().await = Some(Arc::clone(&store));
        store
    }

    async fn close(&self) {
        if let Some(store) = self.opened.lock().await.take() {
            store.close().await.unwrap();
        }
    }
}

impl Sqlite {
    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }
}

crate::conformance::suite!(sqlite, crate::embedded::Sqlite);
