//! Raw 4:2:2 pictures become planes.

use ocelli_media::pixel::{Matrix, OwnedPicture, Range};

use super::Format;

/// Planes of 4:2:0, chroma of two rows averaged; `None` where bytes are missing. Cameras mean BT.601 unless they say otherwise.
pub(super) fn planes(format: &Format, data: &[u8]) -> Option<OwnedPicture> {
    let (width, height) = (format.width as usize, format.height as usize);
    let (row, stride) = (width * 2, format.stride.max(width * 2));
    let odd = width == 0 || height == 0 || width % 2 == 1;
    if odd || data.len() < stride * (height - 1) + row {
        return None;
    }
    let rows: Vec<&[u8]> = (0..height).map(|y| &data[y * stride..][..row]).collect();
    let luma = rows.iter().flat_map(|row| row.iter().step_by(2)).copied().collect();
    let chroma = |at: usize| {
        let mut plane = Vec::with_capacity(width / 2 * height.div_ceil(2));
        for pair in rows.chunks(2) {
            let (upper, lower) = (pair[0], pair[pair.len() - 1]);
            let columns = upper.chunks_exact(4).zip(lower.chunks_exact(4));
            plane.extend(
                columns.map(|(upper, lower)| (u16::from(upper[at]) + u16::from(lower[at])).div_ceil(2) as u8),
            );
        }
        plane
    };
    Some(OwnedPicture {
        width: format.width,
        height: format.height,
        planes: [luma, chroma(1), chroma(3)],
        range: Range::Limited,
        matrix: Matrix::Bt601,
    })
}
