//! How many connections there are, in all and of each address.

use std::{
    collections::{HashMap, hash_map::Entry},
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::config::LimitsConfig;
use crate::access::customer;

/// Room for connections.
#[derive(Debug)]
pub(super) struct Slots {
    free: Arc<Semaphore>,
    all: u32,
    per_address: u32,
    held: Mutex<HashMap<IpAddr, u32>>,
}

/// The room of one connection: free again when it is dropped, with the connection.
#[derive(Debug)]
pub(super) struct Slot {
    address: IpAddr,
    slots: Arc<Slots>,
    _permit: OwnedSemaphorePermit,
}

impl Slots {
    pub(super) fn new(limits: &LimitsConfig) -> Self {
        let LimitsConfig { connections, connections_per_address, .. } = *limits;
        let free = Arc::new(Semaphore::new(connections as usize));
        Self { free, all: connections, per_address: connections_per_address, held: Mutex::default() }
    }

    /// Waits until there is room for a connection of anybody.
    pub(super) async fn room(&self) -> OwnedSemaphorePermit {
        let permit = Arc::clone(&self.free).acquire_owned().await;
        permit.expect("the semaphore is never closed")
    }

    /// Waits until no connection is left.
    pub(super) async fn empty(&self) {
        let permits = self.free.acquire_many(self.all).await;
        drop(permits.expect("the semaphore is never closed"));
    }

    /// Connections that are open.
    pub(super) fn taken(&self) -> usize {
        self.all as usize - self.free.available_permits()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn room_is_limited_and_freed() {
        let limits = LimitsConfig { connections: 3, connections_per_address: 2, ..LimitsConfig::default() };
        let slots = Arc::new(Slots::new(&limits));
        let take = async |address: &str| slots.take(slots.room().await, address.parse().unwrap());
        let one = take("2001:db8::1").await;
        let two = take("2001:db8::2").await;
        assert!(one.is_some() && two.is_some());
        assert!(take("2001:db8::3").await.is_none(), "one /64 is one client");
        let three = take("10.0.0.1").await;
        assert!(three.is_some() && slots.taken() == 3);
        assert!(slots.free.try_acquire().is_err(), "full");
        drop(one);
        assert!(take("2001:db8::3").await.is_some());
        drop((two, three));
        slots.empty().await;
        assert!(slots.held.lock().unwrap().is_empty());
    }
}
