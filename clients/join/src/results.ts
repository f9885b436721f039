/** What was seen in a frame, as the server's live messages and its results say it. */

import { FormatError, toTicks, toTimeBase, type TimeBase } from './ticks.js';

/** In fractions of the displayed picture, from its top left. */
export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface Detection {
  readonly label: string;
  readonly confidence: number;
  readonly box: Box;
  /** Names the object across the frames of its run. */
  readonly track?: number;
}

/** All that is known of one frame. */
export interface FrameResult {
  readonly run: number;
  readonly pts: bigint;
  readonly timeBase: TimeBase;
  /** By model; a model that did not look is missing, one that saw nothing has an empty list. */
  readonly looks: ReadonlyMap<string, readonly Detection[]>;
}

/** More detections in one look are not believed. */
const MAX_DETECTIONS = 10_000;

/** Reads a message of `/live` (parsed with `parseExact`); null where it is of another type. */
export function readResult(message: unknown): FrameResult | null {
  if (!isObject(message)) throw new FormatError('not a message');
  if (message['type'] !== 'result') return null;
  const { run, looks } = message;
  if (typeof run !== 'number' || !Number.isInteger(run) || run < 0) throw new FormatError('a result without a run');
  if (!Array.isArray(looks)) throw new FormatError('a result without looks');
  const read = new Map<string, readonly Detection[]>();
  for (const look of looks as unknown[]) {
    if (!isObject(look) || typeof look['model'] !== 'string') throw new FormatError('a look without a model');
    if (look['verdict'] === 'analysed') read.set(look['model'], readDetections(look['detections']));
  }
  return { run, pts: toTicks(message['pts']), timeBase: toTimeBase(message['time_base']), looks: read };
}

function readDetections(value: unknown): readonly Detection[] {
  if (!Array.isArray(value) || value.length > MAX_DETECTIONS) throw new FormatError('an analysed look without detections');
  return (value as unknown[]).map((each) => {
    if (!isObject(each) || typeof each['label'] !== 'string' || typeof each['confidence'] !== 'number') {
      throw new FormatError('a detection without label or confidence');
    }
    const { label, confidence, track } = each;
    const seen = { label, confidence, box: readBox(each['box']) };
    return typeof track === 'number' ? { ...seen, track } : seen;
  });
}

function readBox(value: unknown): Box {
  if (isObject(value)) {
    const { x, y, width, height } = value;
    if (isFinite(x) && isFinite(y) && isFinite(width) && isFinite(height)) return { x, y, width, height };
  }
  throw new FormatError('a detection without a box');
}

function isFinite(value: unknown): value is number {
  return Number.isFinite(value);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
