/** A stream on the air: parts and results come as time goes on, as they would from a camera. */

import { EventEmitter } from 'node:events';

import type { Case } from './cases.js';
import { numberOf } from './cases.js';
import type { Clip, ClipPart } from './clip.js';
import { markerOf } from './paint.js';

export interface AiredPart {
  readonly clip: Clip;
  readonly part: ClipPart;
  readonly segment: number;
  /** It ends its segment. */
  last: boolean;
}

/** Between the runs of a stream, in seconds. */
export const PAUSE = 0.7;
/** A result comes this long after its picture. */
const LOOK = 0.06;
/** Every so many pictures are looked at. */
export const EVERY = 3;

/** Tells `part` (an {@link AiredPart}), `result` (a message), and what the server is to do wrong. */
export class Broadcast extends EventEmitter {
  readonly aired: AiredPart[] = [];
  ended = false;
  private readonly timers: NodeJS.Timeout[] = [];
  private segment = -1;

  constructor(
    readonly plan: Case,
    private readonly clips: readonly Clip[],
  ) {
    super();
    this.setMaxListeners(100);
    let begin = 0;
    for (const clip of clips) {
      for (const part of clip.parts) this.at(begin + part.end, () => this.air(clip, part));
      begin += Math.max(...clip.parts.map((part) => part.end)) + PAUSE;
    }
    this.at(begin, () => this.end());
    for (const action of plan.actions) {
      if (action.do !== 'back' && action.do !== 'live') this.at(action.at, () => this.emit(action.do));
    }
  }

  /** The longest, of all runs. */
  get partTarget(): number {
    return Math.max(...this.clips.flatMap((clip) => clip.parts.map((part) => part.seconds)));
  }

  stop(): void {
    for (const timer of this.timers) clearTimeout(timer);
  }

  private at(seconds: number, run: () => void): void {
    this.timers.push(setTimeout(run, seconds * 1000));
  }

  private air(clip: Clip, part: ClipPart): void {
    const before = this.aired.at(-1);
    if (!before || part.keyframe || before.clip !== clip) {
      this.segment += 1;
      if (before) before.last = true;
    }
    this.aired.push({ clip, part, segment: this.segment, last: false });
    this.emit('part', this.aired.at(-1));
    this.at(LOOK, () => part.frames.filter((n) => n % EVERY === 0).forEach((n) => this.emit('result', resultOf(clip, n))));
  }

  private end(): void {
    this.ended = true;
    const last = this.aired.at(-1);
    if (last) last.last = true;
    this.emit('end');
  }
}

/** As the server's live messages are: the marker of the picture, labelled with the picture's number. */
function resultOf({ plan }: Clip, n: number): unknown {
  const detection = { label: `${numberOf(plan.run, n)}`, confidence: 1, box: markerOf(n), track: 1 };
  const look = { model: 'number', verdict: 'analysed', width: 640, height: 360, detections: [detection] };
  return { type: 'result', run: plan.run, pts: plan.pts(n), time_base: plan.timeBase, looks: [look] };
}
