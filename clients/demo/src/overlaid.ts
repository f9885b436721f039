/** The overlay error of the real server: cases, what is seen in them, and the verdict. */

import type { Looks } from './looks.js';
import { nameOf } from './looks.js';
import type { Report, Sighting } from './page.js';
import type { Reel, ReelPlan } from './reel.js';
import { NUMBERS_PER_RUN } from './cases.js';

/** After the page has been opened, in seconds. */
export type Step = { readonly at: number; readonly do: 'back'; readonly seconds: number } | { readonly at: number; readonly do: 'live' } | { readonly at: number; readonly do: 'reconnect'; readonly after?: number };

export interface Overlaid {
  readonly name: string;
  readonly runs: readonly ReelPlan[];
  readonly steps: readonly Step[];
  readonly seconds: number;
  /** Right and wrong are judged, and how much is shown is not. */
  readonly brief?: boolean;
}

function plan(run: number, seconds: number, more: Partial<ReelPlan> = {}): ReelPlan {
  return { run, seconds, begin: 0, expression: 'N*40', bFrames: 0, sound: false, ...more };
}

/** Beyond what a browser and the machine need until they are going. */
const LONGER = 12;

export const OVERLAID: readonly Overlaid[] = [
  { name: 'live', runs: [plan(0, 12 + LONGER, { sound: true })], steps: [], seconds: 12 },
  {
    name: 'seek',
    runs: [plan(0, 17 + LONGER, { bFrames: 2 })],
    steps: [
      { at: 8, do: 'back', seconds: 4 },
      { at: 12, do: 'live' },
    ],
    seconds: 17,
  },
  {
    name: 'reconnect',
    // The clock of the second begins elsewhere.
    runs: [plan(0, 18 + LONGER), plan(1, 18 + LONGER, { begin: 5_000_000, bFrames: 2 })],
    steps: [{ at: 6, do: 'reconnect' }],
    seconds: 18,
  },
  {
    name: 'away',
    // Longer than hls.js bears errors instead of a playlist.
    runs: [plan(0, 6 + LONGER), plan(1, 18 + LONGER, { begin: 5_000_000 })],
    steps: [{ at: 6, do: 'reconnect', after: 26 }],
    seconds: 46,
  },
  { name: 'bframes', runs: [plan(0, 12 + LONGER, { bFrames: 3 })], steps: [], seconds: 12 },
  // Distances between 19 and 51 ms, no two neighbours alike.
  { name: 'vfr', runs: [plan(0, 12 + LONGER, { expression: 'N*35+mod(N,3)*8+mod(N,7)', bFrames: 2 })], steps: [], seconds: 12 },
  // After 20 days; RTMP counts 24 of them.
  { name: 'far', runs: [plan(0, 12 + LONGER, { begin: 1_728_000_000, bFrames: 2, sound: true })], steps: [], seconds: 12 },
];

export interface OverlayVerdict {
  /** Pictures that were shown and whose number was read. */
  readonly checked: number;
  readonly unreadable: number;
  readonly unnamed: number;
  /** Pictures whose results, come in time or not, are known. */
  readonly analysed: number;
  /** Of those, shown with their result, be it boxes or none. */
  readonly looked: number;
  /** Numbers of the others. */
  readonly bare: readonly (number | null)[];
  /** Boxes that were drawn, not interpolated. */
  readonly boxes: number;
  /** Of those, on another picture than the model saw, as the frame folder has it. Must be 0. */
  readonly offBoxes: number;
  /** Results that were shown with another picture than was looked at. Must be 0. */
  readonly off: number;
  /** Compared with the picture that the archive has of their (run, PTS). */
  readonly asked: number;
  /** Must be 0. */
  readonly askedOff: number;
  /** Runs in which pictures and PTS of the film do not differ by one constant. Must be none. */
  readonly shifts: readonly string[];
  readonly formulaOff: number;
  readonly runs: readonly number[];
  readonly returns: number;
}

/** `numbers`: of the pictures that models looked at, by ordinal; `archived`: of pictures of the archive, by name. */
export function judgeOverlay(
  report: Report,
  reels: readonly Reel[],
  looks: Looks,
  numbers: readonly (number | null)[],
  archived: ReadonlyMap<string, number | null>,
): OverlayVerdict {
  const { sightings, analysed } = report;
  const read = sightings.filter(({ number }) => number !== null);
  const named = read.filter(({ run }) => run !== null);
  const looked = named.filter((sighting) => sighting.looked);
  const asked = named.filter((sighting) => archived.has(name(sighting)));
  // What was not looked at by the server's own account must not have a result.
  const wrong = looked.filter((sighting) => numbers[looks.frames.get(name(sighting)) ?? 0] !== sighting.number);
  return {
    checked: read.length,
    unreadable: sightings.length - read.length,
    unnamed: read.length - named.length,
    analysed: analysed.filter(Boolean).length,
    looked: sightings.filter((sighting, index) => analysed[index] && sighting.looked).length,
    bare: sightings.filter((sighting, index) => analysed[index] && !sighting.looked).map(({ number }) => number),
    boxes: sum(looked),
    offBoxes: sum(wrong),
    off: wrong.length,
    asked: asked.length,
    askedOff: asked.filter((sighting) => archived.get(name(sighting)) !== sighting.number).length,
    shifts: shiftsOf(named, reels),
    formulaOff: named.filter(({ formula, units }) => formula !== null && formula !== units).length,
    runs: [...new Set(named.map(({ run }) => run!))],
    returns: sightings.filter(({ mediaTime }, index) => mediaTime < (sightings[index - 1]?.mediaTime ?? 0)).length,
  };
}

function sum(sightings: readonly Sighting[]): number {
  return sightings.reduce((total, { boxes }) => total + boxes, 0);
}

/** Where time base numerators are 1, units are ticks; RTMP's are milliseconds. */
export function name({ run, units }: Sighting): string {
  return nameOf(run!, units!);
}

/** Between what was published and what is played there is one constant for each run: where the publisher's clock began. */
function shiftsOf(named: readonly Sighting[], reels: readonly Reel[]): string[] {
  const found = new Map<number, Set<bigint | string>>();
  for (const { run, units, number } of named) {
    const reel = reels.find((each) => each.plan.run === run);
    const published = Math.floor(number! / NUMBERS_PER_RUN) === run ? reel?.pts[number! % NUMBERS_PER_RUN] : undefined;
    const shift = published === undefined ? 'a picture of another run' : BigInt(units!) - published;
    found.set(run!, (found.get(run!) ?? new Set()).add(shift));
  }
  return [...found].filter(([, each]) => each.size > 1).map(([run, each]) => `run ${run} is off by ${[...each].slice(0, 5).join(', ')}`);
}

/** What is wrong with it; empty: it is proved. */
export function overlayComplaints(verdict: OverlayVerdict, { runs, steps, seconds, brief }: Overlaid): string[] {
  const found: string[] = [];
  const must = (holds: boolean, complaint: string): void => void (holds || found.push(complaint));
  must(verdict.off === 0, `${verdict.off} results (${verdict.offBoxes} boxes) on other pictures`);
  must(verdict.askedOff === 0, `${verdict.askedOff} pictures that the archive has otherwise`);
  // How much a machine shows in a short time is no matter of right and wrong.
  const least = brief ? 1 : seconds;
  must(verdict.asked >= least, `only ${verdict.asked} pictures compared with the archive`);
  must(verdict.shifts.length === 0, verdict.shifts.join('; '));
  must(verdict.formulaOff === 0, `the arithmetic differs ${verdict.formulaOff} times`);
  must(verdict.unreadable === 0, `${verdict.unreadable} pictures could not be read`);
  must(verdict.unnamed <= verdict.checked / 100, `${verdict.unnamed} pictures without a name`);
  // A machine that is busy shows fewer pictures, but not none.
  must(verdict.checked >= least * 5, `only ${verdict.checked} pictures shown`);
  must(verdict.analysed >= least, `only ${verdict.analysed} analysed pictures shown`);
  // Of fewer than a hundred pictures one may be: the first of a run is shown before anything can have been seen in it.
  must(brief ? verdict.looked > 0 : verdict.analysed - verdict.looked <= Math.max(1, verdict.analysed / 100), `results on ${verdict.looked} of ${verdict.analysed} analysed pictures`);
  must(verdict.boxes >= least, `only ${verdict.boxes} boxes drawn`);
  must(`${verdict.runs}` === `${runs.map(({ run }) => run)}`, `runs ${verdict.runs.join()} shown`);
  must(verdict.returns >= steps.filter((step) => step.do === 'back').length, `${verdict.returns} steps back`);
  return found;
}
