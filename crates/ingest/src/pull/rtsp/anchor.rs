//! Wall time of a stream, as its sender reports it.

use retina::rtcp::ReceivedCompoundPacket;

use crate::WallAnchor;

/// From 1900, where NTP counts from, to 1970 (RFC 5905 figure 4).
const UNIX_EPOCH: u32 = 2_208_988_800;

/// What a sender report says (RFC 3550 section 6.4.1); `None` where the packet is none, or its sender has no clock.
pub(super) fn anchor(packet: &ReceivedCompoundPacket) -> Option<WallAnchor> {
    let pts = packet.rtp_timestamp()?.timestamp();
    let report = packet.pkts().next()?.as_sender_report().ok()??;
    unix_ns(report.ntp_timestamp().0).map(|unix_ns| WallAnchor { pts, unix_ns })
}

/// NTP's 32 bits of seconds wrap in 2036: what lies before 1970 is after that.
fn unix_ns(ntp: u64) -> Option<i64> {
    let seconds = ((ntp >> 32) as u32).wrapping_sub(UNIX_EPOCH);
    let fraction = ((ntp & 0xffff_ffff) * 1_000_000_000) >> 32;
    (ntp != 0).then_some(i64::from(seconds) * 1_000_000_000 + fraction as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_ntp_are_those_of_unix() {
        let cases = [
            (0, None),
            (u64::from(UNIX_EPOCH) << 32, Some(0)),
            ((u64::from(UNIX_EPOCH) + 1) << 32 | 1 << 31, Some(1_500_000_000)),
            // 7 February 2036, 6:28:16: the first second after the wrap.
            (1 << 32, Some((2_085_978_496 + 1) * 1_000_000_000)),
        ];
        for (ntp, expected) in cases {
            assert_eq!(unix_ns(ntp), expected, "{ntp:x}");
        }
    }
}
