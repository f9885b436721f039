//! A disk in memory whose power can be cut, and whose process can be killed, at any call.

use std::{
    collections::BTreeMap,
    io,
    ops::Range,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use super::{Files, Growing, Listed, folder_of};

/// What a call may meet.
#[derive(Clone, Debug, Default)]
pub(crate) struct Faults {
    /// Calls that still work: then the process is dead, and nothing it does has an effect.
    pub(crate) calls: Option<u64>,
    /// Bytes that still can be written.
    pub(crate) room: Option<u64>,
    /// Nothing may be changed.
    pub(crate) read_only: bool,
    /// Each write takes so long.
    pub(crate) slow: Duration,
}

#[derive(Clone, Debug, Default)]
struct Data {
    bytes: Vec<u8>,
    durable: usize,
}

/// Names and what they name, as they are and as a power cut leaves them.
#[derive(Debug, Default)]
struct State {
    data: Vec<Data>,
    names: BTreeMap<String, usize>,
    durable: BTreeMap<String, usize>,
    faults: Faults,
    calls: u64,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Memory(Arc<Mutex<State>>);

impl Memory {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    /// One more call, if the process lives.
    fn call(&self) -> io::Result<MutexGuard<'_, State>> {
        let mut state = self.lock();
        if state.faults.calls.is_some_and(|calls| state.calls >= calls) {
            return Err(io::Error::other("the process is dead"));
        }
        state.calls += 1;
        Ok(state)
    }

    fn change(&self, bytes: usize) -> io::Result<MutexGuard<'_, State>> {
        let slow = self.lock().faults.slow;
        if !slow.is_zero() {
            wait(slow);
        }
        let mut state = self.call()?;
        if state.faults.read_only {
            return Err(io::ErrorKind::ReadOnlyFilesystem.into());
        }
        if let Some(room) = &mut state.faults.room {
            if *room < bytes as u64 {
                return Err(io::ErrorKind::StorageFull.into());
            }
            *room -= bytes as u64;
        }
        Ok(state)
    }

    pub(crate) fn set(&self, faults: Faults) {
        self.lock().faults = faults;
    }

    /// The process that uses it is not dead. One that looks at it has called.
    pub(crate) fn alive(&self) -> bool {
        self.call().is_ok()
    }

    /// Calls so far.
    pub(crate) fn calls(&self) -> u64 {
        self.lock().calls
    }

    /// What the next process finds after a kill.
    pub(crate) fn after_kill(&self) -> Self {
        let state = self.lock();
        let (data, names) = (state.data.clone(), state.names.clone());
        Self(Arc::new(Mutex::new(State { data, durable: names.clone(), names, ..State::default() })))
    }

    /// What it finds after a power cut. Of what was not synced, `kept` percent of a file's bytes are there, and holes; names only
    /// where they were.
    pub(crate) fn after_power_cut(&self, kept: usize) -> Self {
        let state = self.lock();
        let left = |data: &Data| {
            let torn = (data.bytes.len() - data.durable) * kept / 100;
            let mut bytes = data.bytes[..data.durable + torn].to_vec();
            bytes.resize(bytes.len() + torn / 2, 0);
            Data { durable: bytes.len(), bytes }
        };
        let data = state.data.iter().map(left).collect();
        let names = state.durable.clone();
        Self(Arc::new(Mutex::new(State { data, durable: names.clone(), names, ..State::default() })))
    }

    /// Bytes of all files.
    pub(crate) fn bytes(&self) -> u64 {
        let state = self.lock();
        state.names.values().map(|file| state.data[*file].bytes.len() as u64).sum()
    }

    pub(crate) fn keys(&self) -> Vec<String> {
        self.lock().names.keys().cloned().collect()
    }
}

/// Takes the time that a slow disk takes.
fn wait(time: Duration) {
    let (_sender, receiver) = std::sync::mpsc::sync_channel::<()>(0);
    receiver.recv_timeout(time).ok();
}

impl Files for Memory {
    fn create(&self, key: &str) -> io::Result<Arc<dyn Growing>> {
        let mut state = self.change(0)?;
        if state.names.contains_key(key) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let file = state.data.len();
        state.data.push(Data::default());
        state.names.insert(key.to_owned(), file);
        Ok(Arc::new(InMemory { disk: self.clone(), file }))
    }

    fn put(&self, key: &str, bytes: &[u8]) -> io::Result<()> {
        let mut state = self.change(bytes.len())?;
        let file = state.data.len();
        state.data.push(Data { bytes: bytes.to_vec(), durable: bytes.len() });
        state.names.insert(key.to_owned(), file);
        state.durable.insert(key.to_owned(), file);
        Ok(())
    }

    fn link(&self, from: &str, to: &str) -> io::Result<()> {
        let mut state = self.change(0)?;
        let file = *state.names.get(from).ok_or(io::ErrorKind::NotFound)?;
        state.names.insert(to.to_owned(), file);
        Ok(())
    }

    fn remove(&self, key: &str) -> io::Result<()> {
        self.change(0)?.names.remove(key);
        Ok(())
    }

    fn remove_folder(&self, _key: &str) {}

    fn cut(&self, key: &str, bytes: u64) -> io::Result<()> {
        let mut state = self.change(0)?;
        let file = *state.names.get(key).ok_or(io::ErrorKind::NotFound)?;
        let data = &mut state.data[file];
        data.bytes.truncate(bytes as usize);
        data.durable = data.bytes.len();
        Ok(())
    }

    fn sync_folder(&self, key: &str) -> io::Result<()> {
        let mut state = self.change(0)?;
        let State { names, durable, .. } = &mut *state;
        durable.retain(|name, _| folder_of(name) != key);
        durable.extend(names.iter().filter(|(name, _)| folder_of(name) == key).map(|(n, f)| (n.clone(), *f)));
        Ok(())
    }

    fn read(&self, key: &str, range: Range<u64>) -> io::Result<Vec<u8>> {
        let state = self.call()?;
        let file = *state.names.get(key).ok_or(io::ErrorKind::NotFound)?;
        let bytes = &state.data[file].bytes;
        let end = (range.end as usize).min(bytes.len());
        Ok(bytes[(range.start as usize).min(end)..end].to_vec())
    }

    fn size(&self, key: &str) -> io::Result<Option<u64>> {
        let state = self.call()?;
        Ok(state.names.get(key).map(|file| state.data[*file].bytes.len() as u64))
    }

    fn list(&self, folder: &str) -> io::Result<Vec<Listed>> {
        let state = self.call()?;
        let mut listed = Vec::<Listed>::new();
        for (name, file) in &state.names {
            let Some(rest) = name.strip_prefix(folder).and_then(|rest| rest.strip_prefix('/')) else {
                continue;
            };
            let (name, bytes) = match rest.split_once('/') {
                Some((name, _)) => (name, None),
                None => (rest, Some(state.data[*file].bytes.len() as u64)),
            };
            if listed.last().is_none_or(|last| last.name != name) {
                listed.push(Listed { name: name.to_owned(), bytes });
            }
        }
        Ok(listed)
    }

    fn free(&self) -> io::Result<u64> {
        Ok(self.call()?.faults.room.unwrap_or(1 << 40))
    }
}

#[derive(Debug)]
struct InMemory {
    disk: Memory,
    file: usize,
}

impl Growing for InMemory {
    fn append(&self, bytes: &[u8]) -> io::Result<()> {
        match self.disk.change(bytes.len()) {
            Ok(mut state) => {
                state.data[self.file].bytes.extend_from_slice(bytes);
                Ok(())
            }
            Err(error) if error.kind() == io::ErrorKind::StorageFull => {
                // As much as there is room for is written.
                let mut state = self.disk.lock();
                let room = state.faults.room.take().unwrap_or(0);
                state.faults.room = Some(0);
                state.data[self.file].bytes.extend_from_slice(&bytes[..room as usize]);
                Err(error)
            }
            Err(error) => Err(error),
        }
    }

    fn sync(&self) -> io::Result<()> {
        let mut state = self.disk.change(0)?;
        let data = &mut state.data[self.file];
        data.durable = data.bytes.len();
        Ok(())
    }
}
