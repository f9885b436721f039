//! How many connections there are, in all and of each address.

use std::{
    collections::{HashMap, hash_map::Entry},
    net::{IpAddr, Ipv6Addr},
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Room for connections.
#[derive(Debug)]
pub(super) struct Slots {
    free: Arc<Semaphore>,
    per_address: usize,
    held: Mutex<HashMap<IpAddr, usize>>,
}

/// The room of one connection: free again when it is dropped.
#[derive(Debug)]
pub(super) struct Slot {
    address: IpAddr,
    slots: Arc<Slots>,
    _permit: OwnedSemaphorePermit,
}

impl Slots {
    /// At least one each.
    pub(super) fn new(all: usize, per_address: usize) -> Self {
        let free = Arc::new(Semaphore::new(all.clamp(1, Semaphore::MAX_PERMITS)));
        Self { free, per_address: per_address.max(1), held: Mutex::default() }
    }

    /// Waits until there is room for a connection of anybody.
    pub(super) async fn room(&self) -> OwnedSemaphorePermit {
        Arc::clone(&self.free).acquire_owned().await.expect("the semaphore is never closed")
    }

    /// Takes the room for a connection of this address, unless it has too many.
    pub(super) fn take(self: &Arc<Self>, room: OwnedSemaphorePermit, address: IpAddr) -> Option<Slot> {
        let address = customer(address);
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let count = held.entry(address).or_default();
        // An entry of 0 is new, and the limit is at least 1.
        if *count >= self.per_address {
            return None;
        }
        *count += 1;
        Some(Slot { address, slots: Arc::clone(self), _permit: room })
    }
}

/// Whoever has one address of IPv6 has the 2^64 beside it.
fn customer(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => Ipv6Addr::from_bits(v6.to_bits() >> 64 << 64).into(),
        v4 @ IpAddr::V4(_) => v4,
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut held = self.slots.held.lock().unwrap_or_else(PoisonError::into_inner);
        if let Entry::Occupied(mut entry) = held.entry(self.address) {
            *entry.get_mut() -= 1;
            if *entry.get() == 0 {
                entry.remove();
            }
        }
    }
}
