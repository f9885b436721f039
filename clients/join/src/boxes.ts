/** Reads from fragmented MP4 (ISO/IEC 14496-12) when each picture is shown. Bounded: by the bytes, and by {@link MAX_SAMPLES}. */

import { FormatError } from './ticks.js';

/** The video of an initialisation segment. */
export interface VideoTrack {
  readonly id: number;
  /** Units per second of all times in the fragments. */
  readonly timescale: number;
  /** In units, where neither sample nor fragment says. */
  readonly defaultDuration: number;
}

/** One picture of a fragment. */
export interface Sample {
  /** When it is shown, in units of the track's timescale. */
  readonly units: bigint;
  /** How long, in units. */
  readonly duration: number;
}

/** More pictures in one piece of media are not believed. */
export const MAX_SAMPLES = 1 << 16;

interface Box {
  readonly type: string;
  readonly body: DataView;
}

/** The video track of an initialisation segment; null where there is none. Throws a `FormatError`. */
export function readInit(bytes: Uint8Array): VideoTrack | null {
  return bounded(() => readMoov(bytes));
}

/** The pictures of `track` in all fragments of `bytes`, in decode order. Throws a `FormatError`. */
export function readSamples(bytes: Uint8Array, track: VideoTrack): Sample[] {
  return bounded(() => readFragments(bytes, track));
}

/** A view refuses to read beyond its box; that is the sender's mistake, not ours. */
function bounded<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof RangeError) throw new FormatError('a box that ends before its fields');
    throw error;
  }
}

function readMoov(bytes: Uint8Array): VideoTrack | null {
  const moov = find(viewOf(bytes), 'moov');
  if (!moov) return null;
  for (const trak of boxes(moov)) {
    if (trak.type !== 'trak') continue;
    const track = readTrak(trak.body);
    if (track) return { ...track, defaultDuration: defaultDuration(moov, track.id) };
  }
  return null;
}

function readTrak(trak: DataView): { id: number; timescale: number } | null {
  const tkhd = find(trak, 'tkhd');
  const mdia = find(trak, 'mdia');
  const mdhd = mdia && find(mdia, 'mdhd');
  const hdlr = mdia && find(mdia, 'hdlr');
  if (!tkhd || !mdhd || !hdlr || typeAt(hdlr, 8) !== 'vide') return null;
  const id = tkhd.getUint32(tkhd.getUint8(0) === 1 ? 20 : 12);
  const timescale = mdhd.getUint32(mdhd.getUint8(0) === 1 ? 20 : 12);
  if (timescale === 0) throw new FormatError('a track whose timescale is 0');
  return { id, timescale };
}

function defaultDuration(moov: DataView, id: number): number {
  const mvex = find(moov, 'mvex');
  if (!mvex) return 0;
  for (const { type, body } of boxes(mvex)) {
    if (type === 'trex' && body.getUint32(4) === id) return body.getUint32(12);
  }
  return 0;
}

function readFragments(bytes: Uint8Array, track: VideoTrack): Sample[] {
  const samples: Sample[] = [];
  for (const moof of boxes(viewOf(bytes))) {
    if (moof.type !== 'moof') continue;
    for (const traf of boxes(moof.body)) {
      if (traf.type === 'traf') readTraf(traf.body, track, samples);
    }
  }
  return samples;
}

function readTraf(traf: DataView, track: VideoTrack, into: Sample[]): void {
  const tfhd = find(traf, 'tfhd');
  const tfdt = find(traf, 'tfdt');
  if (!tfhd || tfhd.getUint32(4) !== track.id) return;
  if (!tfdt) throw new FormatError('a fragment without a decode time');
  // Signed, against the standard: some muxers write decode times before 0.
  let decode = tfdt.getUint8(0) === 1 ? tfdt.getBigInt64(4) : BigInt(tfdt.getUint32(4));
  const fallback = fragmentDuration(tfhd) ?? track.defaultDuration;
  for (const { type, body } of boxes(traf)) {
    if (type === 'trun') decode = readTrun(body, decode, fallback, into);
  }
}

function fragmentDuration(tfhd: DataView): number | null {
  const flags = tfhd.getUint32(0);
  if (!(flags & 0x08)) return null;
  return tfhd.getUint32(8 + (flags & 0x01 ? 8 : 0) + (flags & 0x02 ? 4 : 0));
}

/** Returns the decode time after its last sample. */
function readTrun(trun: DataView, start: bigint, fallback: number, into: Sample[]): bigint {
  const flags = trun.getUint32(0) & 0xffffff;
  const signed = trun.getUint8(0) !== 0;
  const count = trun.getUint32(4);
  if (into.length + count > MAX_SAMPLES) throw new FormatError(`more than ${MAX_SAMPLES} pictures in one piece of media`);
  let at = 8 + (flags & 0x001 ? 4 : 0) + (flags & 0x004 ? 4 : 0);
  let decode = start;
  for (let index = 0; index < count; index++) {
    const duration = flags & 0x100 ? trun.getUint32(at) : fallback;
    at += (flags & 0x100 ? 4 : 0) + (flags & 0x200 ? 4 : 0) + (flags & 0x400 ? 4 : 0);
    let offset = 0;
    if (flags & 0x800) {
      offset = signed ? trun.getInt32(at) : trun.getUint32(at);
      at += 4;
    }
    into.push({ units: decode + BigInt(offset), duration });
    decode += BigInt(duration);
  }
  return decode;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function find(within: DataView, type: string): DataView | null {
  for (const box of boxes(within)) {
    if (box.type === type) return box.body;
  }
  return null;
}

/** The boxes that stand in `within`, one after the other. */
export function* boxes(within: DataView): Generator<Box> {
  let at = 0;
  while (at + 8 <= within.byteLength) {
    const { header, size } = sizeAt(within, at);
    if (size < header || at + size > within.byteLength) {
      throw new FormatError(`a box ${typeAt(within, at + 4)} of ${size} bytes where ${within.byteLength - at} are left`);
    }
    yield { type: typeAt(within, at + 4), body: new DataView(within.buffer, within.byteOffset + at + header, size - header) };
    at += size;
  }
}

function sizeAt(within: DataView, at: number): { header: number; size: number } {
  const size = within.getUint32(at);
  if (size === 0) return { header: 8, size: within.byteLength - at };
  if (size === 1 && at + 16 <= within.byteLength) return { header: 16, size: Number(within.getBigUint64(at + 8)) };
  return { header: 8, size };
}

function typeAt(view: DataView, at: number): string {
  return String.fromCharCode(view.getUint8(at), view.getUint8(at + 1), view.getUint8(at + 2), view.getUint8(at + 3));
}
