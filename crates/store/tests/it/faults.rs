//! What goes wrong around the embedded store.

mod check;
mod damage;
mod full;
mod killed;
mod others;
mod pruned;
mod schemas;

use std::path::Path;

use ocelli_store::{Access, Entry, OpenLedger, ResultLog as _, SqliteStore};

use crate::backend::{analysed, due, ledger, result, run, slots};

/// A closed store with three analysed slots.
pub(crate) async fn filled(folder: &Path) -> OpenLedger {
    let store = SqliteStore::open(folder, Access::Write).await.unwrap();
    let run = run(&store, "a", 0).await;
    let open = ledger(&store, run, "m", "1").await;
    store.commit(&three(open)).await.unwrap();
    store.close().await.unwrap();
    open
}

fn three(open: OpenLedger) -> Vec<Entry> {
    let mut entries = vec![due(open, slots(0, 2))];
    entries.extend((0..3).map(|slot| analysed(open, slot, Some(result(&["cat", "dog"])))));
    entries
}

/// Opening fails both ways with the error that `expected` knows; its words tell what to do.
async fn refused(folder: &Path, what: &str, expected: fn(&ocelli_store::StoreError) -> bool, words: &str) {
    for access in [Access::Write, Access::Read] {
        let opened = SqliteStore::open(folder, access).await;
        let error = opened.expect_err(what);
        assert!(expected(&error), "{what}, {access:?}: {error:?}");
        assert!(error.to_string().contains(words), "{what}, {access:?}: {error}");
    }
}
