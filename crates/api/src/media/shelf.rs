//! Live playlists, written once for all viewers of a stream.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, OnceLock, PoisonError},
};

use ocelli_archive::LiveWindow;
use ocelli_model::StreamId;

use super::playlist::{Playlist, live};

/// The newest playlist of each stream that somebody watches.
#[derive(Debug, Default)]
pub(crate) struct PlaylistShelf(Mutex<HashMap<StreamId, Arc<Written>>>);

/// Playlists of one state of a stream.
#[derive(Debug)]
pub(super) struct Written {
    window: Arc<LiveWindow>,
    /// By place, then whole or delta.
    playlists: [[OnceLock<Playlist>; 2]; 2],
    /// The folder of segments, as seen from a playlist that lies beside it.
    folder: String,
}

/// Where a playlist lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// Among the segments that it names.
    Among,
    /// Beside a folder of them that is called like the stream.
    Beside,
}

impl PlaylistShelf {
    /// What is written of this state. The same state is the same value in memory: that is all that is compared.
    pub(super) fn of(&self, stream: &StreamId, window: &Arc<LiveWindow>) -> Arc<Written> {
        let mut shelf = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match shelf.get(stream) {
            Some(written) if Arc::ptr_eq(&written.window, window) => Arc::clone(written),
            _ => {
                let (window, folder) = (Arc::clone(window), format!("{stream}/"));
                let written = Arc::new(Written { window, playlists: Default::default(), folder });
                shelf.insert(stream.clone(), Arc::clone(&written));
                written
            }
        }
    }

    /// Forgets a stream of which nothing is live any more.
    pub(super) fn forget(&self, stream: &StreamId) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(stream);
    }
}

impl Written {
    /// Those who ask at the same time wait for one that writes.
    pub(super) fn playlist(&self, place: Place, delta: bool) -> &Playlist {
        let (number, folder) = match place {
            Place::Among => (0, ""),
            Place::Beside => (1, &*self.folder),
        };
        self.playlists[number][usize::from(delta)].get_or_init(|| live(&self.window, folder, delta))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_is_written_once() {
        let shelf = PlaylistShelf::default();
        let stream: StreamId = "cam1".parse().unwrap();
        let (one, two) = (Arc::new(LiveWindow::default()), Arc::new(LiveWindow::default()));
        let first = shelf.of(&stream, &one);
        assert!(Arc::ptr_eq(&first, &shelf.of(&stream, &one)));
        let text = first.playlist(Place::Among, false).with_query(None);
        assert_eq!(
            text.as_ptr(),
            shelf.of(&stream, &one).playlist(Place::Among, false).with_query(None).as_ptr(),
            "one text"
        );
        assert!(!Arc::ptr_eq(&first, &shelf.of(&stream, &two)));
        assert!(!Arc::ptr_eq(&first, &shelf.of(&"cam2".parse().unwrap(), &one)));
        shelf.forget(&stream);
        assert!(!Arc::ptr_eq(&first, &shelf.of(&stream, &one)));
    }
}
