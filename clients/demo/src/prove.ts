/**
 * Proves the join in a browser: plays each case with each player, and compares each picture that is shown with the box that the
 * join chose for it. `node dist/prove.js [--base URL --stream ID --seconds N [--film CASE]] [--only CASE] [--player hls|socket] [--shots FOLDER]`
 *
 * Without `--base` it makes its own streams; with it, it looks at a stream of that server whose pictures carry numbers and whose
 * results carry them as labels; with `--film`, one that plays the film of a case (`node dist/film.js`), whose results may be what they
 * like: then the PTS are judged, not the boxes.
 */

import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';

import type { Browser, Page } from 'playwright-core';

import { bring, launch, open, PLAYERS, type PlayerName } from './browser.js';
import { CASES, type Case } from './cases.js';
import { complaints, filmComplaints, judge, type Verdict } from './judge.js';
import type { Report } from './page.js';
import { develop, photograph, type Photographs } from './photograph.js';
import { Stand } from './server.js';

const { values: given } = parseArgs({
  options: {
    base: { type: 'string' },
    stream: { type: 'string' },
    seconds: { type: 'string', default: '12' },
    film: { type: 'string' },
    only: { type: 'string' },
    player: { type: 'string' },
    shots: { type: 'string' },
    chromium: { type: 'string', default: '/usr/bin/chromium' },
  },
});

interface Trial {
  readonly player: PlayerName;
  readonly stream: string;
  readonly plan: Case | null;
  readonly seconds: number;
}

async function act(page: Page, plan: Case | null, seconds: number): Promise<void> {
  const began = performance.now();
  const until = (at: number): Promise<void> => pause(Math.max(0, at * 1000 - (performance.now() - began)));
  for (const action of plan?.actions ?? []) {
    await until(action.at);
    if (action.do === 'back') await page.evaluate((back) => globalThis.demo.back(back), action.seconds);
    if (action.do === 'live') await page.evaluate(() => globalThis.demo.live());
  }
  await until(seconds);
}

interface Outcome {
  readonly report: Report;
  readonly verdict: Verdict;
  readonly photographs: Photographs;
  readonly errors: readonly string[];
}

async function tryOne(browser: Browser, base: string, trial: Trial): Promise<Outcome> {
  const thrown: string[] = [];
  const page = await open(browser, base, `strip&behind=0.6&player=${trial.player}&stream=${trial.stream}`, thrown);
  const done = act(page, trial.plan, trial.seconds);
  const name = trial.plan?.name ?? trial.stream;
  const shots = given.shots ? await photograph(page, done, 0.02, join(given.shots, `${name}-${trial.player}.png`)) : [];
  await done;
  const report = await page.evaluate(() => globalThis.demo.report());
  await page.close();
  const photographs = await develop(browser, base, bring, shots);
  return { report, verdict: judge(report, trial.plan), photographs, errors: [...thrown, ...report.errors] };
}

function trials(): Trial[] {
  const players = PLAYERS.filter((player) => !given.player || given.player === player);
  if (given.base) {
    const stream = given.stream ?? 'numbers';
    return players.map((player) => ({ player, stream, plan: null, seconds: Number(given.seconds) }));
  }
  const cases = CASES.filter(({ name }) => !given.only || given.only.split(',').includes(name));
  return cases.flatMap((plan) =>
    players
      .filter((player) => player === 'socket' || !plan.socketOnly)
      .map((player) => ({ player, stream: `${plan.name}-${player}`, plan, seconds: plan.seconds })),
  );
}

/** Says how it went; true: it is proved. */
async function settle(browser: Browser, base: string, trial: Trial): Promise<boolean> {
  const { report, verdict, photographs, errors } = await tryOne(browser, base, trial);
  const film = CASES.find(({ name }) => name === given.film);
  const found = film ? filmComplaints(report, film, trial.seconds) : complaints(verdict, trial.plan, trial.seconds);
  if (photographs.off > 0) found.push(`${photographs.off} of ${photographs.taken} photographs show another picture's box`);
  console.log(JSON.stringify({ stream: trial.stream, player: trial.player, ...verdict, photographs, errors, counts: report.counts, complaints: found }));
  return found.length === 0;
}

async function main(): Promise<boolean> {
  if (given.shots) await mkdir(given.shots, { recursive: true });
  const stand = given.base ? null : await Stand.listen();
  const base = given.base?.replace(/\/$/, '') ?? (stand as Stand).base;
  const browser = await launch(given.chromium);
  let [passed, failed] = [0, 0];
  try {
    for (const trial of trials()) {
      if (trial.plan) await stand?.prepare(trial.plan.name);
      if (await settle(browser, base, trial)) passed += 1;
      else failed += 1;
    }
  } finally {
    await browser.close();
    stand?.close();
  }
  console.log(`${passed} passed, ${failed} failed`);
  return failed === 0 && passed > 0;
}

process.exitCode = (await main()) ? 0 : 1;
