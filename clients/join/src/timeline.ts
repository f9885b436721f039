/** Which picture is shown when: what was put into the player, by the player's own clock. */

import type { Sample } from './boxes.js';

/** A picture, named exactly. */
export interface Frame {
  /** Ordinal of the run within the stream. */
  readonly run: number;
  /** Its PTS in units of `1 / timescale` s: ticks times the numerator of the time base. */
  readonly units: bigint;
  readonly timescale: number;
  /** When the player shows it, in seconds of its own timeline. */
  readonly mediaTime: number;
}

/** Where the player puts media of a run. */
export interface Placement {
  readonly run: number;
  readonly timescale: number;
  /** Added to media by the player (`SourceBuffer.timestampOffset`), in seconds. */
  readonly offset: number;
}

/** Browsers round media time to microseconds, once for the picture and once for the offset; pictures are farther apart than this. */
const NEAR = 0.0004;
/** Offsets closer than this are the same: hls.js does not change one for less than a microsecond. */
const SAME_OFFSET = 0.00002;

/**
 * The pictures in the player, found by media time. As in Media Source Extensions, what is put over other media replaces it.
 *
 * A displayed picture is looked up, not computed: it is one of those that were put in, so that no rounding can name another.
 */
export class Timeline {
  /** By media time. */
  private frames: Frame[] = [];

  /** Holds at most `limit` pictures; the ones farthest from the newest media go first. */
  constructor(private readonly limit = 1 << 16) {}

  get size(): number {
    return this.frames.length;
  }

  /** When the last picture begins. */
  get last(): number | null {
    return this.frames.at(-1)?.mediaTime ?? null;
  }

  clear(): void {
    this.frames = [];
  }

  /** Media goes into the player: `samples` in any order, placed as `placement` says. */
  add(placement: Placement, samples: readonly Sample[]): void {
    const added = samples.map((sample) => frameOf(placement, sample)).sort((a, b) => a.mediaTime - b.mediaTime);
    const [first, last] = [added[0], added.at(-1)];
    if (!first || !last) return;
    const ends = samples.map((sample) => timeOf(placement, sample.units + BigInt(sample.duration)));
    const end = ends.reduce((a, b) => Math.max(a, b), last.mediaTime);
    const from = this.firstNotBefore(first.mediaTime - NEAR);
    const to = Math.max(from, this.firstNotBefore(Math.max(end - NEAR, last.mediaTime + NEAR)));
    const again = new Set(added.map((frame) => frame.units));
    const kept = this.frames.slice(from, to).filter((old) => isBeside(old, placement) && !again.has(old.units));
    this.frames.splice(from, to - from, ...merged(kept, added));
    this.bound(first.mediaTime);
  }

  /** The picture that is shown when a player reports `mediaTime` for it, as `requestVideoFrameCallback` does. */
  at(mediaTime: number): Frame | null {
    const index = this.firstNotBefore(mediaTime - NEAR);
    const [before, after] = [this.frames[index], this.frames[index + 1]];
    if (!before || Math.abs(before.mediaTime - mediaTime) > NEAR) return null;
    if (!after) return before;
    return Math.abs(after.mediaTime - mediaTime) < Math.abs(before.mediaTime - mediaTime) ? after : before;
  }

  /** The picture that is shown while a player stands at `time`: the last that began. */
  shownAt(time: number): Frame | null {
    return this.frames[this.firstNotBefore(time + NEAR / 8) - 1] ?? null;
  }

  /** Forgets what is shown before `time`: the player has dropped it. */
  forgetBefore(time: number): void {
    this.frames.splice(0, this.firstNotBefore(time));
  }

  private firstNotBefore(time: number): number {
    let [low, high] = [0, this.frames.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.frames[middle] as Frame).mediaTime < time) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  private bound(newest: number): void {
    const excess = this.frames.length - this.limit;
    if (excess <= 0) return;
    const [first, last] = [this.frames[0] as Frame, this.frames.at(-1) as Frame];
    if (newest - first.mediaTime > last.mediaTime - newest) this.frames.splice(0, excess);
    else this.frames.length = this.limit;
  }
}

/** Units to seconds on the player's timeline. */
function timeOf(placement: Placement, units: bigint): number {
  // Whole seconds apart from the rest: a double holds both exactly enough, also for nanoseconds since 1970.
  const scale = BigInt(placement.timescale);
  const whole = units / scale;
  return Number(whole) + placement.offset + Number(units - whole * scale) / placement.timescale;
}

function frameOf(placement: Placement, sample: Sample): Frame {
  const { run, timescale } = placement;
  return { run, units: sample.units, timescale, mediaTime: timeOf(placement, sample.units) };
}

/** Pictures of the same placement stand beside new ones: B-frames of the next part come between. */
function isBeside(old: Frame, placement: Placement): boolean {
  if (old.run !== placement.run || old.timescale !== placement.timescale) return false;
  const offset = old.mediaTime - timeOf({ ...placement, offset: 0 }, old.units);
  return Math.abs(offset - placement.offset) < SAME_OFFSET;
}

function merged(kept: readonly Frame[], added: readonly Frame[]): Frame[] {
  return [...kept, ...added].sort((a, b) => a.mediaTime - b.mediaTime);
}
