/** Where runs lie on the player's timeline. */

import type { Placement } from '@ocelli/join';

import type { InitMessage } from './wire.js';

/** More runs than a player can hold media of. */
const LIMIT = 64;

/**
 * The first run begins at 0, each other one where the media before it ends. A run that is met again, after a reconnect, goes on
 * where it lies: what was missed meanwhile is a gap of its true length.
 */
export class Placements {
  private readonly runs = new Map<number, Placement>();

  /** `end`: where the media in the player ends, in seconds; null where there is none. */
  place(init: InitMessage, end: number | null): Placement {
    const { run, timescale } = init;
    const known = this.runs.get(run);
    if (known?.timescale === timescale) return known;
    // Up to the next millisecond, so that no rounding lays the first picture over the last one.
    const start = end === null ? 0 : Math.ceil(end * 1000) / 1000;
    const placement = { run, timescale, offset: start - secondsOf(init) };
    this.runs.set(run, placement);
    const oldest = this.runs.keys().next().value;
    if (this.runs.size > LIMIT && oldest !== undefined) this.runs.delete(oldest);
    return placement;
  }

  clear(): void {
    this.runs.clear();
  }
}

function secondsOf({ basePts, timeBase: [num, den] }: InitMessage): number {
  const units = basePts * BigInt(num);
  const whole = units / BigInt(den);
  return Number(whole) + Number(units - whole * BigInt(den)) / den;
}
