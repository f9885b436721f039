//! Transport streams cut where a remuxer would not cut: at any coded picture.

const PACKET: usize = 188;
/// Where `ffmpeg` puts the only video stream of a clip.
const VIDEO_PID: u16 = 0x100;

/// The packets of the pictures that `keep` approves (counted in decode order from 0) and everything that is not video, with
/// continuity counters mended, so that nothing but the pictures is missing: late, missing and lonely keyframes.
pub fn select(bytes: &[u8], mut keep: impl FnMut(usize) -> bool) -> Vec<u8> {
    assert!(bytes.len().is_multiple_of(PACKET), "not whole transport packets");
    let mut kept = Vec::with_capacity(bytes.len());
    let (mut pictures, mut wanted) = (0, false);
    for packet in bytes.as_chunks::<PACKET>().0 {
        assert_eq!(packet[0], 0x47, "transport packets start with a sync byte");
        if pid(packet) == VIDEO_PID {
            if packet[1] & 0x40 != 0 {
                wanted = keep(pictures);
                pictures += 1;
            }
            if !wanted {
                continue;
            }
        }
        kept.extend_from_slice(packet);
    }
    renumber(&mut kept);
    kept
}

/// One stream after the other under the same ids, as after a change of encoder settings: a new resolution, a jump in time.
pub fn join(parts: &[Vec<u8>]) -> Vec<u8> {
    let mut joined = parts.concat();
    renumber(&mut joined);
    joined
}

/// Continuity counters of the video count its packets with payload (ISO 13818-1, 2.4.3.3).
fn renumber(bytes: &mut [u8]) {
    let mut counter = 0_u8;
    for packet in bytes.as_chunks_mut::<PACKET>().0 {
        if pid(packet) == VIDEO_PID {
            if packet[3] & 0x10 != 0 {
                counter = counter.wrapping_add(1) & 0x0F;
            }
            packet[3] = packet[3] & 0xF0 | counter;
        }
    }
}

fn pid(packet: &[u8; PACKET]) -> u16 {
    u16::from_be_bytes([packet[1] & 0x1F, packet[2]])
}
