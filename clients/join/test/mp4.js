/** Writes just enough MP4 for tests. */

export function box(type, ...parts) {
  const body = Buffer.concat(parts.map((part) => (typeof part === 'number' ? u32(part) : part)));
  return Buffer.concat([u32(body.length + 8), Buffer.from(type, 'latin1'), body]);
}

export const u32 = (value) => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value >>> 0);
  return bytes;
};

export const u64 = (value) => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(value));
  return bytes;
};

const zeros = (count) => Buffer.alloc(count);

export function trak({ id, timescale, handler = 'vide', version = 0 }) {
  const times = zeros(version ? 16 : 8);
  return box(
    'trak',
    box('tkhd', version << 24, times, id, zeros(60)),
    box(
      'mdia',
      box('mdhd', version << 24, times, timescale, zeros(version ? 12 : 8)),
      box('hdlr', 0, 0, Buffer.from(handler, 'latin1'), zeros(13)),
    ),
  );
}

export function init(tracks, trex = []) {
  const mvex = box('mvex', ...trex.map(({ id, duration }) => box('trex', 0, id, 1, duration, 0, 0)));
  return Buffer.concat([box('ftyp', zeros(8)), box('moov', box('mvhd', zeros(100)), ...tracks.map(trak), mvex)]);
}

/** `samples`: `[duration, offset]` each. */
export function fragment({ id = 1, decode, samples, version = 1 }) {
  const rows = samples.map(([duration, offset]) => Buffer.concat([u32(duration), u32(100), u32(offset)]));
  const trun = box('trun', (version << 24) | 0xb01, samples.length, 0, ...rows);
  const tfdt = box('tfdt', 1 << 24, u64(decode));
  return Buffer.concat([box('moof', box('mfhd', 0, 1), box('traf', box('tfhd', 0x20000, id), tfdt, trun)), box('mdat', zeros(16))]);
}
