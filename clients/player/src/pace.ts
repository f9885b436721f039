/** When to jump, hurry and forget, as arithmetic: seconds in, a decision out. */

/** `[start, end)` of media in the player, ascending. */
export type Ranges = readonly (readonly [start: number, end: number])[];

export interface PaceOptions {
  /**
   * How far behind the newest media to play, in seconds, when a part has just come. Longer than a part, or it runs dry; boxes are
   * in time where a part and the time to its results are shorter.
   */
  readonly behind: number;
  /** Farther behind than this, jump. */
  readonly limit: number;
  /** Media that has been played is kept for so long. */
  readonly keep: number;
  /** Media ahead of the picture is kept for so long, where it is paused or plays what is past. */
  readonly most: number;
}

export const PACE: PaceOptions = { behind: 0.5, limit: 1, keep: 20, most: 60 };

/** What can be kept where parts are so long: cameras of few pictures a second have long ones. */
export function paced(wished: PaceOptions, longestPart: number): PaceOptions {
  const behind = Math.max(wished.behind, 1.5 * longestPart);
  return { ...wished, behind, limit: Math.max(wished.limit, behind + 1.5 * longestPart) };
}

export interface Move {
  /** Where to jump, if anywhere. */
  readonly to: number | null;
  /** How fast to play; null: as it does, or as the viewer has set it. */
  readonly rate: number | null;
  /** It ran dry, or has not begun: it stands until there is enough to go on evenly. */
  readonly filling: boolean;
}

/** Ends of ranges are this unsharp. */
const EDGE = 0.05;
/** Faster by this little is neither seen nor heard. */
const HURRY = 1.06;

/**
 * What to do at `now`. `live`: it follows the newest media; else it plays what it was sent to, and only crosses gaps.
 * `fresh`: media has just come. Only then does the distance to its end say how late the player is: it shrinks until the next part.
 */
export function move(now: number, ranges: Ranges, live: boolean, filling: boolean, options: PaceOptions, fresh = true): Move {
  const [first, last] = [ranges[0], ranges.at(-1)];
  if (!first || !last) return { to: null, rate: live && filling ? 0 : null, filling };
  if (live) return follow(now, last, filling, options, fresh);
  const stays = ranges.some(([start, end]) => now >= start - EDGE && now < end - EDGE);
  const next = ranges.find(([start]) => start > now);
  return { to: !stays && next ? next[0] : null, rate: null, filling: false };
}

function follow(now: number, [start, end]: readonly [number, number], filling: boolean, options: PaceOptions, fresh: boolean): Move {
  const late = end - now;
  const inside = now >= start - EDGE && late >= -EDGE;
  if (!inside || late > options.limit) {
    const to = Math.max(start, end - options.behind);
    const short = end - to < options.behind - EDGE;
    return { to: Math.abs(to - now) > EDGE ? to : null, rate: short ? 0 : 1, filling: short };
  }
  if (late < EDGE || (filling && late < options.behind - EDGE)) return { to: null, rate: 0, filling: true };
  if (!fresh && !filling) return { to: null, rate: null, filling };
  return { to: null, rate: late > options.behind + EDGE ? HURRY : 1, filling: false };
}

/** Up to where media is to be removed; null where it does not pay yet. */
export function trim(now: number, ranges: Ranges, options: PaceOptions): number | null {
  const [first, last] = [ranges[0], ranges.at(-1)];
  if (!first || !last) return null;
  const to = Math.max(now - options.keep, last[1] - options.most - options.keep);
  return to - first[0] > 1 ? to : null;
}
