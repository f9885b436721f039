/** From what was seen to a verdict. */

import { PAUSE } from './broadcast.js';
import { NUMBERS_PER_RUN, numberOf, type Case } from './cases.js';
import type { Report } from './page.js';

export interface Verdict {
  /** Pictures that were shown and whose number could be read. */
  readonly checked: number;
  /** Pictures whose cells could not be read. */
  readonly unreadable: number;
  /** Boxes of another picture than the one they were drawn over. Must be 0. */
  readonly off: number;
  /** Pictures that the join named by another run or PTS than they have. Must be 0. */
  readonly misnamed: number;
  /** Pictures that the join could not name. */
  readonly unnamed: number;
  /** Pictures for which the arithmetic says another PTS than the list of pictures. Must be 0. */
  readonly formulaOff: number;
  readonly formulaAsked: number;
  readonly analysed: number;
  /** Of those, shown with their boxes. */
  readonly boxed: number;
  /** Numbers of the others. */
  readonly bare: readonly (number | null)[];
  readonly interpolated: number;
  /** Number of the last picture. */
  readonly last: number | null;
  /** In the order they were shown. */
  readonly runs: readonly number[];
  /** Steps backwards: seeks. */
  readonly returns: number;
}

/** `plan`: what the pictures truly are, where it is known. */
export function judge({ sightings, analysed }: Report, plan: Case | null): Verdict {
  const truth = new Map<number, string>();
  for (const { run, frames, pts, timeBase } of plan?.runs ?? []) {
    for (let n = 0; n < frames; n++) truth.set(run * NUMBERS_PER_RUN + n, `${run}/${pts(n) * timeBase[0]}`);
  }
  const read = sightings.filter(({ number }) => number !== null);
  const named = read.filter(({ run }) => run !== null);
  const asked = named.filter(({ formula }) => formula !== null);
  const looked = sightings.filter((_sighting, index) => analysed[index]);
  return {
    checked: read.length,
    unreadable: sightings.length - read.length,
    off: sightings.filter(({ label, number }) => label !== null && number !== null && label !== number).length,
    misnamed: plan ? named.filter(({ number, run, units }) => truth.get(number!) !== `${run}/${units}`).length : 0,
    unnamed: sightings.filter(({ run }) => run === null).length,
    formulaOff: asked.filter(({ formula, units }) => formula !== units).length,
    formulaAsked: asked.length,
    analysed: looked.length,
    boxed: looked.filter(({ label }) => label !== null).length,
    bare: looked.filter(({ label }) => label === null).map(({ number }) => number),
    interpolated: sightings.filter(({ interpolated }) => interpolated).length,
    last: sightings.at(-1)?.number ?? null,
    runs: [...new Set(named.map(({ run }) => run!))],
    returns: sightings.filter(({ mediaTime }, index) => mediaTime < (sightings[index - 1]?.mediaTime ?? 0)).length,
  };
}

/** What is wrong with it; empty: it is proved. */
export function complaints(verdict: Verdict, plan: Case | null, seconds: number): string[] {
  const found: string[] = [];
  const must = (holds: boolean, complaint: string): void => void (holds || found.push(complaint));
  must(verdict.off === 0, `${verdict.off} boxes on other pictures`);
  must(verdict.misnamed === 0, `${verdict.misnamed} pictures named wrongly`);
  must(verdict.formulaOff === 0, `the arithmetic differs ${verdict.formulaOff} times`);
  must(verdict.unreadable === 0, `${verdict.unreadable} pictures could not be read`);
  must(verdict.unnamed <= verdict.checked / 100, `${verdict.unnamed} pictures without a name`);
  // A machine that is busy shows fewer pictures, but not none.
  must(verdict.checked >= seconds * 5, `only ${verdict.checked} pictures shown`);
  must(verdict.analysed >= seconds, `only ${verdict.analysed} analysed pictures shown`);
  must(verdict.boxed >= 0.99 * verdict.analysed, `boxes on ${verdict.boxed} of ${verdict.analysed} analysed pictures`);
  if (!plan) return found;
  const runs = plan.runs.map(({ run }) => run);
  must(`${verdict.runs}` === `${runs}`, `runs ${verdict.runs.join()} shown, not ${runs.join()}`);
  must((verdict.last ?? 0) >= expectedLast(plan, seconds), `it ended with picture ${verdict.last}`);
  const backs = plan.actions.filter((action) => action.do === 'back').length;
  must(verdict.returns >= backs, `${verdict.returns} steps back, not ${backs}`);
  return found;
}

/** Who plays on is not farther behind than this, on a busy machine. */
const BEHIND = 4;

/** The picture that is shown at the end, at the latest. */
function expectedLast({ runs }: Case, seconds: number): number {
  const lengthOf = ({ frames, pts, timeBase: [num, den] }: Case['runs'][number]): number => ((pts(frames - 1) - pts(0)) * num) / den;
  const begin = runs.slice(0, -1).reduce((sum, run) => sum + lengthOf(run) + PAUSE, 0);
  const last = runs.at(-1);
  if (!last) return 0;
  return numberOf(last.run, Math.floor(last.frames * Math.min(1, Math.max(0, (seconds - begin - BEHIND) / lengthOf(last)))) - 1);
}

/**
 * For a server that plays the film of a case, once or again and again: each turn is a run of its own, and what reads the file may
 * begin its clock elsewhere. Within a run every picture must be off by the same.
 */
export function filmComplaints({ sightings }: Report, { runs: [film] }: Case, seconds: number): string[] {
  if (!film) return ['a case without a film'];
  const shifts = new Map<number, Set<bigint>>();
  const named = sightings.filter(({ run, number }) => run !== null && number !== null);
  for (const { run, units, number } of named) {
    const n = number! % NUMBERS_PER_RUN;
    shifts.set(run!, (shifts.get(run!) ?? new Set()).add(BigInt(units!) - BigInt(film.pts(n) * film.timeBase[0])));
  }
  const wrong = [...shifts].filter(([, each]) => each.size > 1).map(([run, each]) => `run ${run} is off by ${[...each].join(', ')}`);
  return named.length < seconds * 5 ? [...wrong, `only ${named.length} pictures shown`] : wrong;
}
