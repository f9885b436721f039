/** What the server sends over `/media`: text about the stream, and binary parts. */

import { FormatError, parseExact, toTicks, toTimeBase, type TimeBase } from '@ocelli/join';

/** A run, or new parameters within one: an initialisation segment and parts follow. */
export interface InitMessage {
  readonly type: 'init';
  readonly run: number;
  readonly timeBase: TimeBase;
  /** Units per second of all times in the media. */
  readonly timescale: number;
  /** As RFC 6381 names them. */
  readonly codecs: string;
  readonly width: number;
  readonly height: number;
  /** PTS that is played at the beginning, in ticks. */
  readonly basePts: bigint;
}

export type Message =
  | InitMessage
  | { readonly type: 'missed'; readonly parts: number }
  | { readonly type: 'paused'; readonly reason: string }
  | { readonly type: 'ended' };

/** About 200 ms of media. */
export interface Part {
  readonly keyframe: boolean;
  /** Media between this part and the one before is missing. */
  readonly discontinuity: boolean;
  readonly run: number;
  /** Number of its segment. */
  readonly segment: bigint;
  /** Smallest PTS, in ticks. */
  readonly firstPts: bigint;
  /** `moof` and `mdat`. */
  readonly media: Uint8Array<ArrayBuffer>;
}

const VERSION = 1;
const HEADER = 24;
const KEYFRAME = 1;
const DISCONTINUITY = 2;

/** Longer messages are refused. */
export const MAX_MESSAGE = 64 << 20;

/** A text message; null for types of a newer server. Throws a `FormatError` or a `SyntaxError`. */
export function readMessage(text: string): Message | null {
  const message = parseExact(text) as Record<string, unknown> | null;
  switch (message?.['type']) {
    case 'init':
      return readInitMessage(message);
    case 'missed':
      return { type: 'missed', parts: whole(message['parts'], 'parts') };
    case 'paused':
      return { type: 'paused', reason: String(message['reason'] ?? '') };
    case 'ended':
      return { type: 'ended' };
    default:
      return null;
  }
}

function readInitMessage(message: Record<string, unknown>): InitMessage {
  const { codecs } = message;
  if (typeof codecs !== 'string' || !/^[\w.,\- ]{1,200}$/.test(codecs)) throw new FormatError('init: no codecs');
  const timeBase = toTimeBase(message['time_base']);
  const timescale = whole(message['timescale'], 'timescale');
  if (timescale !== timeBase[1]) throw new FormatError(`init: timescale ${timescale} is not that of 1/${timeBase[1]} s`);
  return {
    type: 'init',
    run: whole(message['run'], 'run'),
    timeBase,
    timescale,
    codecs,
    width: whole(message['width'], 'width'),
    height: whole(message['height'], 'height'),
    basePts: toTicks(message['base_pts']),
  };
}

function whole(value: unknown, name: string): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0 && value < 2 ** 32) return value;
  throw new FormatError(`${name}: not a whole number`);
}

/** A binary message that is a part. Throws a `FormatError`. */
export function readPart(bytes: ArrayBuffer): Part {
  if (bytes.byteLength <= HEADER || bytes.byteLength > MAX_MESSAGE) throw new FormatError(`a part of ${bytes.byteLength} bytes`);
  const view = new DataView(bytes);
  const version = view.getUint8(0);
  if (version !== VERSION) throw new FormatError(`a part of version ${version}, this is for ${VERSION}`);
  const flags = view.getUint8(1);
  return {
    keyframe: (flags & KEYFRAME) !== 0,
    discontinuity: (flags & DISCONTINUITY) !== 0,
    run: view.getUint32(4),
    segment: view.getBigUint64(8),
    firstPts: view.getBigInt64(16),
    media: new Uint8Array(bytes, HEADER),
  };
}
