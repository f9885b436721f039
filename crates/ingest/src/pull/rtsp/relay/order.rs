//! Datagrams in the order in which they were sent (RFC 3550 section 5.1), as far as they come in time.

use std::{collections::BTreeMap, time::Duration};

use bytes::Bytes;
use tokio::time::Instant;

/// Packets that are waited with, and how long: more than a network mixes up, less than anybody sees.
const MOST_HELD: usize = 64;
const PATIENCE: Duration = Duration::from_millis(100);
/// A jump of the sequence beyond it is a new start.
const LONGEST_GAP: i64 = 3000;

/// Puts packets into their order. What comes too late is dropped.
#[derive(Debug, Default)]
pub(super) struct Order {
    /// Sequence number that is next, counted on past 16 bits.
    next: Option<i64>,
    held: BTreeMap<i64, Bytes>,
    /// Since when something is missing.
    since: Option<Instant>,
}

impl Order {
    /// Takes an RTP packet; what is none is dropped. Gives what is in order now.
    pub(super) fn put(&mut self, packet: Bytes, now: Instant, out: &mut Vec<Bytes>) {
        let [head, _, high, low, ..] = packet[..] else { return };
        // Version 2, and a whole header.
        if head >> 6 != 2 || packet.len() < 12 {
            return;
        }
        let number = u16::from_be_bytes([high, low]);
        let next = self.next.unwrap_or(i64::from(number));
        let mut sequence = next + i64::from(number.wrapping_sub(next as u16) as i16);
        if (sequence - next).abs() > LONGEST_GAP {
            self.flush(out);
            sequence = i64::from(number);
            self.next = Some(sequence);
        } else if sequence < next {
            return;
        } else {
            self.next = Some(next);
        }
        self.held.insert(sequence, packet);
        self.release(out);
        if self.held.len() > MOST_HELD {
            self.skip(out);
        }
        self.since = if self.held.is_empty() { None } else { self.since.or(Some(now)) };
    }

    /// When [`Self::late`] is due, if anything is missing.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.since.map(|since| since + PATIENCE)
    }

    /// What was missing is given up.
    pub(super) fn late(&mut self, now: Instant, out: &mut Vec<Bytes>) {
        self.skip(out);
        self.since = (!self.held.is_empty()).then_some(now);
    }

    fn skip(&mut self, out: &mut Vec<Bytes>) {
        if let Some(first) = self.held.keys().next() {
            self.next = Some(*first);
            self.release(out);
        }
    }

    fn flush(&mut self, out: &mut Vec<Bytes>) {
        out.extend(std::mem::take(&mut self.held).into_values());
    }

    /// Gives what follows without a gap.
    fn release(&mut self, out: &mut Vec<Bytes>) {
        while let Some(next) = self.next
            && let Some(packet) = self.held.remove(&next)
        {
            out.push(packet);
            self.next = Some(next + 1);
            self.since = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(number: u16) -> Bytes {
        let mut bytes = vec![0x80, 96];
        bytes.extend(number.to_be_bytes());
        bytes.resize(20, 0);
        bytes.into()
    }

    /// Numbers as they come, and as they leave; `None` is the end of patience.
    fn check(come: &[Option<u16>], leave: &[u16]) {
        let (mut order, mut out, now) = (Order::default(), Vec::new(), Instant::now());
        for number in come {
            if let Some(number) = number {
                order.put(packet(*number), now, &mut out);
            } else {
                assert!(order.deadline().is_some(), "{come:?}");
                order.late(now + PATIENCE, &mut out);
            }
        }
        let left: Vec<u16> = out.iter().map(|packet| u16::from_be_bytes([packet[2], packet[3]])).collect();
        assert_eq!(left, leave, "{come:?}");
        assert!(order.held.len() <= MOST_HELD);
    }

    fn some(numbers: &[u16]) -> Vec<Option<u16>> {
        numbers.iter().copied().map(Some).collect()
    }

    #[test]
    fn packets_leave_in_order() {
        check(&some(&[5, 6, 7]), &[5, 6, 7]);
        check(&some(&[5, 7, 6, 8]), &[5, 6, 7, 8]);
        check(&some(&[65_534, 0, 65_535, 1]), &[65_534, 65_535, 0, 1]);
        // Twice, or too late.
        check(&some(&[5, 6, 6, 5, 7]), &[5, 6, 7]);
        check(&some(&[5, 7, 7, 6]), &[5, 6, 7]);
    }

    #[test]
    fn what_is_lost_is_waited_for_and_then_given_up() {
        check(&[Some(5), Some(7), Some(9), None, Some(8), Some(6)], &[5, 7, 8, 9]);
        let many: Vec<u16> = (0..200).filter(|number| *number != 3).collect();
        check(&some(&many), &many);
    }

    #[test]
    fn a_new_start_is_followed() {
        check(&some(&[5, 6, 40_000, 40_001]), &[5, 6, 40_000, 40_001]);
        check(&some(&[5, 7, 40_000]), &[5, 7, 40_000]);
        check(&some(&[40_000, 5, 6]), &[40_000, 5, 6]);
    }

    #[test]
    fn what_is_no_packet_is_dropped() {
        let (mut order, mut out) = (Order::default(), Vec::new());
        for bytes in [&[][..], &[0x80], &[0x80, 96, 0, 1], &[0x40; 20], &[0; 2000]] {
            order.put(Bytes::copy_from_slice(bytes), Instant::now(), &mut out);
        }
        assert!(out.is_empty() && order.held.is_empty());
    }
}
