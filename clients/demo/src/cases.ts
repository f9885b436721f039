/** What is proved: streams that differ in all that could move a box to another picture. */

import type { TimeBase } from '@ocelli/join';

/** The pictures of one run. */
export interface RunPlan {
  readonly run: number;
  readonly frames: number;
  readonly timeBase: TimeBase;
  /** PTS of picture `n`, in ticks, as an expression of ffmpeg's `setpts` over N, too. */
  readonly pts: (n: number) => number;
  readonly expression: string;
  readonly bFrames: number;
  /** Decode times begin with the first PTS, so that composition offsets take both signs. */
  readonly negativeOffsets: boolean;
  /** With a tone, in the same fragments. */
  readonly sound: boolean;
  /** Coded at a fraction of the size that is painted. */
  readonly shrink: number;
}

export interface Case {
  readonly name: string;
  readonly runs: readonly RunPlan[];
  /** In seconds since the beginning. */
  readonly actions: readonly Action[];
  readonly seconds: number;
  /** Only the WebSocket player can show it. */
  readonly socketOnly?: boolean;
}

export type Action =
  /** The viewer goes back, and later forward again. */
  | { readonly at: number; readonly do: 'back'; readonly seconds: number }
  | { readonly at: number; readonly do: 'live' }
  /** The server closes the media connection. */
  | { readonly at: number; readonly do: 'cut' }
  /** The server leaves parts out. */
  | { readonly at: number; readonly do: 'miss' }
  /** The server sends a part of nonsense. */
  | { readonly at: number; readonly do: 'damage' };

interface Even {
  readonly run?: number;
  readonly frames?: number;
  readonly base?: number;
  readonly step?: number;
  readonly timeBase?: TimeBase;
  readonly bFrames?: number;
  readonly negativeOffsets?: boolean;
  readonly sound?: boolean;
  readonly shrink?: number;
}

/** Pictures at an even distance. */
function even(plan: Even): RunPlan {
  const { run = 0, frames = 480, base = 0, step = 3000, timeBase = [1, 90_000] } = plan;
  const { bFrames = 0, negativeOffsets = false, sound = false, shrink = 1 } = plan;
  // `setpts` counts units of 1/den.
  const expression = `(${base}+N*${step})*${timeBase[0]}`;
  return { run, frames, timeBase, pts: (n) => base + n * step, expression, bFrames, negativeOffsets, sound, shrink };
}

/** Distances between 13 and 53 ms, no two neighbours alike. */
function uneven(run: number, frames: number, base: number): RunPlan {
  return {
    ...even({ run, frames }),
    pts: (n) => base + n * 3000 + (n % 3) * 900 + (n % 7) * 13,
    expression: `${base}+N*3000+mod(N,3)*900+mod(N,7)*13`,
  };
}

const FAR = 90_126_000;

export const CASES: readonly Case[] = [
  { name: 'live', runs: [even({})], actions: [], seconds: 12 },
  {
    name: 'seek',
    runs: [even({ frames: 660, base: 9_000, bFrames: 2 })],
    actions: [
      { at: 9, do: 'back', seconds: 5 },
      { at: 13, do: 'back', seconds: 4 },
      { at: 16, do: 'live' },
    ],
    seconds: 19,
  },
  {
    name: 'reconnect',
    // The second run is the ordinal after next: one between had no media. Its clock begins elsewhere, its pictures are smaller.
    runs: [even({ run: 3, frames: 200, base: 7_000 }), even({ run: 5, frames: 360, base: 2 ** 33 - 90_000, bFrames: 2, shrink: 2 })],
    actions: [{ at: 3, do: 'cut' }],
    seconds: 15,
  },
  {
    name: 'bframes',
    runs: [
      even({ frames: 190, base: 100, step: 512, timeBase: [1, 12_800], bFrames: 3, negativeOffsets: true }),
      even({ run: 1, frames: 250, base: 2_077, step: 512, timeBase: [1, 12_800], bFrames: 3 }),
    ],
    actions: [],
    seconds: 15,
  },
  // After 30 days at 90 kHz.
  { name: 'vfr', runs: [uneven(0, 480, 30 * 86_400 * 90_000 + 5)], actions: [], seconds: 12 },
  { name: 'far', runs: [even({ base: FAR, bFrames: 2 })], actions: [], seconds: 12 },
  { name: 'ntsc', runs: [even({ base: 40_000, step: 1, timeBase: [1001, 30_000], bFrames: 2, negativeOffsets: true })], actions: [], seconds: 10 },
  {
    name: 'sound',
    // Coded sound begins before the pictures do: hls.js then takes its initial PTS from the sound, in units of the sound.
    runs: [even({ frames: 190, base: FAR, sound: true }), even({ run: 1, frames: 250, base: 9_000, bFrames: 2, sound: true })],
    actions: [],
    seconds: 15,
  },
  { name: 'missed', runs: [even({ base: FAR })], actions: [{ at: 4.5, do: 'miss' }], seconds: 10, socketOnly: true },
  { name: 'damaged', runs: [even({ bFrames: 2, base: FAR })], actions: [{ at: 4.3, do: 'damage' }], seconds: 12, socketOnly: true },
];

/** Pictures of different runs carry different numbers. */
export const NUMBERS_PER_RUN = 10_000;

export function numberOf(run: number, n: number): number {
  return run * NUMBERS_PER_RUN + n;
}
