//! Real access units with flipped bits and cut ends.

use ocelli_media::Codec;
use ocelli_media::bitstream::PictureReader;

use super::clip::encode;

/// A fixed sequence of numbers below `bound`.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % bound.max(1)
    }
}

fn damage(data: &mut Vec<u8>, numbers: &mut Numbers) {
    // Headers lie at the front: most flips go there.
    for _ in 0..=numbers.below(4) {
        let reach = if numbers.below(3) > 0 { data.len().min(40) } else { data.len() };
        if let Some(byte) = data.get_mut(numbers.below(reach)) {
            *byte ^= 1 << numbers.below(8);
        }
    }
    if numbers.below(4) == 0 {
        data.truncate(numbers.below(data.len()));
    }
}

#[test]
fn damaged_units_and_parameters_are_read_in_bounds() {
    let clips = [
        (Codec::H264, "mp4", "-c:v libx264 -preset ultrafast -bf 2"),
        (Codec::H264, "ts", "-c:v libx264 -preset ultrafast -flags +ildct"),
        (Codec::H265, "mp4", "-c:v libx265 -preset ultrafast -x265-params log-level=0"),
        (Codec::Mpeg4, "mp4", "-c:v mpeg4 -bf 2"),
        (Codec::Vp9, "webm", "-c:v libvpx-vp9 -deadline realtime -cpu-used 8"),
        (Codec::Av1, "mp4", "-c:v libaom-av1 -usage realtime -cpu-used 8"),
    ];
    let mut numbers = Numbers(1);
    for (codec, extension, options) in clips {
        let options = format!("-frames:v 12 -g 5 {options}");
        let Some(mut clip) = encode(&codec, extension, &options) else { continue };
        let extradata = clip.parameters.extradata.to_vec();
        let mut errors = 0;
        for round in 0..300 {
            let mut parameters = extradata.clone();
            if round % 3 == 0 {
                damage(&mut parameters, &mut numbers);
            }
            clip.parameters.extradata = parameters.into();
            let mut reader = PictureReader::new(&clip.parameters);
            for unit in &clip.units {
                let mut data = unit.data.clone();
                damage(&mut data, &mut numbers);
                match reader.read(&data, false) {
                    Ok(info) => assert!(info.reorder_depth <= 16, "{options}"),
                    Err(_) => errors += 1,
                }
            }
        }
        // Damage is felt, and does not stop the reader for good.
        assert!(errors > 0 && errors < 300 * clip.units.len(), "{options}: {errors}");
    }
}
