//! Interlaced H.264 with every field in an access unit of its own, which no encoder of FFmpeg makes: hand-written
//! slices of uncoded macroblocks (`I_PCM`, ITU-T H.264 7.3.5), 32 by 32 pixels, 25 pictures per second, in MPEG-TS.

use std::path::{Path, PathBuf};

use crate::cli;

/// Pictures from one IDR picture to the next.
const GROUP: usize = 10;

/// A stream to be written; every field is of a luma of its own.
#[derive(Clone, Debug, Default)]
pub struct Paff {
    /// In all, two fields each.
    pub pictures: usize,
    /// The bottom field comes first.
    pub bottom_first: bool,
    /// Every second picture is no reference.
    pub droppable: bool,
    /// Both fields of an IDR picture are called so, against the specification.
    pub two_idr: bool,
    /// Fields left out, counted in decode order.
    pub lost: Vec<usize>,
}

impl Paff {
    /// The access units in decode order, with start codes.
    pub fn units(&self) -> Vec<Vec<u8>> {
        let kept = (0..2 * self.pictures).filter(|field| !self.lost.contains(field));
        kept.map(|field| self.unit(field)).collect()
    }

    /// Writes a transport stream with one PES packet and one PTS per field.
    pub fn write(&self, dir: &Path) -> PathBuf {
        let path = dir.join("fields.ts");
        let mut command = cli::command("ffmpeg");
        command.args(["-f", "h264", "-i", "pipe:0", "-c", "copy"]);
        // The bare stream has no times; a field lasts 1/50 s, in the ticks of a transport stream.
        command.args(["-bsf:v", "setts=pts=N*1800:dts=N*1800", "-f", "mpegts"]).arg(&path);
        cli::run(&mut command, self.units().into_iter());
        path
    }

    fn unit(&self, field: usize) -> Vec<u8> {
        let (picture, second) = (field / 2, field % 2 == 1);
        let at = picture % GROUP;
        let idr = at == 0 && (!second || self.two_idr);
        let reference = !self.droppable || at.is_multiple_of(2);
        // References before it in the group (7.4.3).
        let frame_num = if self.droppable { at.div_ceil(2) } else { at };
        let mut bits = Bits::default();
        bits.codes(&[0, 7, 0]).fixed(4, frame_num);
        bits.fixed(2, 0b10 | usize::from(second != self.bottom_first));
        if idr {
            bits.code(picture / GROUP % 2);
        }
        if reference {
            bits.fixed(if idr { 2 } else { 1 }, 0); // no marking operations
        }
        bits.codes(&[0, 1]); // slice_qp_delta, no deblocking
        for _macroblock in 0..2 {
            bits.code(25).align();
            let luma = 16 + (2 * field % 220) as u8;
            bits.bytes.extend([[luma; 256].as_slice(), &[128; 128]].concat());
        }
        let header = match (idr, reference) {
            (true, _) => 0x65,
            (false, true) => 0x61,
            (false, false) => 0x01,
        };
        let delimiter = [0, 0, 0, 1, 9, 0x10].to_vec();
        let sets = if at == 0 && !second { parameter_sets() } else { Vec::new() };
        [delimiter, sets, bits.nal(header)].concat()
    }
}

/// Main profile, four bits of `frame_num`, order count type 2, frames and fields without MBAFF.
fn parameter_sets() -> Vec<u8> {
    let mut sps = Bits::default();
    sps.fixed(8, 77).fixed(8, 0).fixed(8, 30);
    sps.codes(&[0, 0, 2, 1]).fixed(1, 0).codes(&[1, 0]).fixed(6, 0b00_1000);
    let mut pps = Bits::default();
    pps.codes(&[0, 0]).fixed(2, 0).codes(&[0, 0, 0]).fixed(3, 0).codes(&[0, 0, 0]).fixed(3, 0b100);
    [sps.nal(0x67), pps.nal(0x68)].concat()
}

/// A raw byte sequence payload as it grows.
#[derive(Default)]
struct Bits {
    bytes: Vec<u8>,
    /// Bits used in the last byte, 0 when it is full.
    used: u32,
}

impl Bits {
    fn fixed(&mut self, count: u32, value: usize) -> &mut Self {
        for place in (0..count).rev() {
            if self.used == 0 {
                self.bytes.push(0);
            }
            let last = self.bytes.last_mut().expect("a byte was pushed when the last one was full");
            *last |= ((value >> place & 1) as u8) << (7 - self.used);
            self.used = (self.used + 1) % 8;
        }
        self
    }

    /// Exp-Golomb (9.1); signed elements are only ever 0 here, which is coded alike.
    fn code(&mut self, value: usize) -> &mut Self {
        self.fixed(2 * (value + 1).ilog2() + 1, value + 1)
    }

    fn codes(&mut self, values: &[usize]) -> &mut Self {
        for value in values {
            self.code(*value);
        }
        self
    }

    fn align(&mut self) {
        self.used = 0;
    }

    /// With start code, stop bit and emulation prevention (7.3.1).
    fn nal(&mut self, header: u8) -> Vec<u8> {
        self.fixed(1, 1);
        let mut nal = vec![0, 0, 0, 1, header];
        for byte in &self.bytes {
            if *byte <= 3 && nal.ends_with(&[0, 0]) {
                nal.push(3);
            }
            nal.push(*byte);
        }
        nal
    }
}
