//! Results leave in the order in which their pictures were chosen, whichever worker finished first.

use std::collections::BTreeMap;

/// Holds what came too early. Bounded by what is in flight.
#[derive(Debug)]
pub(crate) struct InOrder<T> {
    next: u64,
    early: BTreeMap<u64, T>,
}

impl<T> InOrder<T> {
    pub(crate) fn new() -> Self {
        Self { next: 0, early: BTreeMap::new() }
    }

    pub(crate) fn put(&mut self, seq: u64, item: T) {
        self.early.insert(seq, item);
    }

    pub(crate) fn take(&mut self) -> Option<T> {
        let item = self.early.remove(&self.next)?;
        self.next += 1;
        Some(item)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gives_back_the_order_of_the_numbers() {
        let mut order = InOrder::new();
        let mut out = Vec::new();
        for seq in [2, 0, 1, 4, 3] {
            order.put(seq, seq);
            out.extend(std::iter::from_fn(|| order.take()));
        }
        assert_eq!(out, [0, 1, 2, 3, 4]);
    }
}
