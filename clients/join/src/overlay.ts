/** The boxes of the picture that is shown. */

import type { Box, Detection, FrameResult } from './results.js';
import type { Frame } from './timeline.js';

/** A box to draw. */
export interface Shown extends Detection {
  readonly model: string;
  /** Nobody looked at this very picture: the box lies between where its track was seen before and after. */
  readonly interpolated: boolean;
}

export interface OverlayOptions {
  /** Results that are held; the ones that came first go first. */
  readonly limit?: number;
  /** Tracks are followed across at most so many seconds between two looks; 0: never. */
  readonly interpolate?: number;
}

/** The results of one run and timescale. */
interface RunResults {
  /** Ascending. */
  readonly order: bigint[];
  readonly byUnits: Map<bigint, FrameResult>;
}

/** Holds results by (run, PTS), and finds those of exactly one picture. */
export class Overlay {
  private readonly runs = new Map<string, RunResults>();
  /** In the order they came. */
  private readonly arrived = new Map<string, { key: string; units: bigint }>();
  private readonly limit: number;
  private readonly interpolate: number;

  constructor(options: OverlayOptions = {}) {
    this.limit = Math.max(1, options.limit ?? 20_000);
    this.interpolate = options.interpolate ?? 1;
  }

  get size(): number {
    return this.arrived.size;
  }

  clear(): void {
    this.runs.clear();
    this.arrived.clear();
  }

  /** Takes a result in. Another of the same picture adds its models, and replaces what one of them said before. */
  put(result: FrameResult): void {
    const [num, den] = result.timeBase;
    const units = result.pts * BigInt(num);
    const key = keyOf(result.run, den);
    const run = this.runs.get(key) ?? { order: [], byUnits: new Map() };
    this.runs.set(key, run);
    const known = run.byUnits.get(units);
    run.byUnits.set(units, known ? { ...result, looks: new Map([...known.looks, ...result.looks]) } : result);
    if (known) return;
    run.order.splice(firstNotBefore(run.order, units), 0, units);
    this.arrived.set(`${key}:${units}`, { key, units });
    if (this.arrived.size > this.limit) this.forgetOldest();
  }

  /** What was seen in exactly this picture; null where nobody has looked at it, or its result has not come yet. */
  resultOf(frame: Frame): FrameResult | null {
    return this.runs.get(keyOf(frame.run, frame.timescale))?.byUnits.get(frame.units) ?? null;
  }

  /** The boxes to draw over this picture. */
  boxesOf(frame: Frame): Shown[] {
    const run = this.runs.get(keyOf(frame.run, frame.timescale));
    if (!run) return [];
    const result = run.byUnits.get(frame.units);
    if (result) return exact(result);
    return this.interpolate > 0 ? this.between(run, frame) : [];
  }

  private between(run: RunResults, frame: Frame): Shown[] {
    const index = firstNotBefore(run.order, frame.units);
    const [before, after] = [run.order[index - 1], run.order[index]];
    if (before === undefined || after === undefined) return [];
    const span = Number(after - before);
    if (span > this.interpolate * frame.timescale) return [];
    const share = Number(frame.units - before) / span;
    const [from, to] = [run.byUnits.get(before), run.byUnits.get(after)];
    return from && to ? tracked(from, to, share) : [];
  }

  private forgetOldest(): void {
    const [name, oldest] = this.arrived.entries().next().value ?? [];
    if (name === undefined || !oldest) return;
    this.arrived.delete(name);
    const run = this.runs.get(oldest.key);
    if (!run) return;
    run.byUnits.delete(oldest.units);
    run.order.splice(firstNotBefore(run.order, oldest.units), 1);
    if (run.order.length === 0) this.runs.delete(oldest.key);
  }
}

function exact(result: FrameResult): Shown[] {
  return [...result.looks].flatMap(([model, seen]) => seen.map((each) => ({ ...each, model, interpolated: false })));
}

/** Each track that both results have, `share` of the way from the one to the other. */
function tracked(from: FrameResult, to: FrameResult, share: number): Shown[] {
  const shown: Shown[] = [];
  for (const [model, seen] of from.looks) {
    for (const old of seen) {
      if (old.track === undefined) continue;
      const next = to.looks.get(model)?.find((each) => each.track === old.track);
      if (!next) continue;
      const confidence = Math.min(old.confidence, next.confidence);
      shown.push({ ...old, confidence, model, box: mix(old.box, next.box, share), interpolated: true });
    }
  }
  return shown;
}

function mix(from: Box, to: Box, share: number): Box {
  const part = (a: number, b: number) => a + (b - a) * share;
  return {
    x: part(from.x, to.x),
    y: part(from.y, to.y),
    width: part(from.width, to.width),
    height: part(from.height, to.height),
  };
}

function keyOf(run: number, timescale: number): string {
  return `${run}/${timescale}`;
}

function firstNotBefore(order: readonly bigint[], units: bigint): number {
  let [low, high] = [0, order.length];
  // Results come in order, nearly always: the end is looked at first.
  const last = order.at(-1);
  if (last === undefined || last < units) return high;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((order[middle] as bigint) < units) low = middle + 1;
    else high = middle;
  }
  return low;
}
