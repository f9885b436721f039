/**
 * The proof with the real server: `node dist/real.js --server PATH [--only CASE] [--player hls|socket] [--glass] [--brief] [--shots FOLDER]`
 *
 * ffmpeg publishes what a real camera saw, with numbers in the pictures, over RTMP; the server records it, and the default model looks at it five
 * times a second; both players show it in Chromium, with the boxes that the join chooses. Then each picture that was shown is
 * compared with the one that the model saw. `--glass` measures how old pictures are when they are shown; `--brief` is one short case of each.
 */

import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';

import type { Browser, Page } from 'playwright-core';

import { launch, open, PLAYERS, type PlayerName } from './browser.js';
import { measureGlass } from './glass.js';
import { Looks, numbersOf } from './looks.js';
import { judgeOverlay, name, OVERLAID, overlayComplaints, type Overlaid } from './overlaid.js';
import type { Report } from './page.js';
import { Publisher } from './publisher.js';
import { reelOf, type Reel } from './reel.js';
import { Served } from './served.js';

const { values: given } = parseArgs({
  options: {
    server: { type: 'string' },
    only: { type: 'string' },
    player: { type: 'string' },
    glass: { type: 'boolean', default: false },
    brief: { type: 'boolean', default: false },
    shots: { type: 'string' },
    chromium: { type: 'string', default: '/usr/bin/chromium' },
  },
});

/** So many pictures are compared with the archive. */
const ASKED = 60;

/** Over all cases. */
const total = { analysed: 0, looked: 0, boxes: 0, offBoxes: 0, off: 0 };

interface Trial {
  readonly plan: Overlaid;
  readonly player: PlayerName;
  readonly stream: string;
  readonly reels: readonly Reel[];
}

/** Does what the case says; the publisher that is left is given back. */
async function act(page: Page, { plan, stream, reels }: Trial, served: Served, publisher: Publisher): Promise<Publisher> {
  const began = performance.now();
  const until = (at: number): Promise<void> => pause(Math.max(0, at * 1000 - (performance.now() - began)));
  let publishing = publisher;
  for (const step of plan.steps) {
    await until(step.at);
    if (step.do === 'back') await page.evaluate((back) => globalThis.demo.back(back), step.seconds);
    if (step.do === 'live') await page.evaluate(() => globalThis.demo.live());
    if (step.do === 'reconnect') {
      await publishing.kill();
      await pause((step.after ?? 0) * 1000);
      publishing = new Publisher(reels[1]!.file, served.publishUrl(stream));
    }
  }
  await until(plan.seconds);
  return publishing;
}

async function tryOne(browser: Browser, served: Served, trial: Trial): Promise<boolean> {
  const { plan, player, stream, reels } = trial;
  await served.create(stream, [{}]);
  const looks = await Looks.follow(served.base, stream);
  let publisher = new Publisher(reels[0]!.file, served.publishUrl(stream));
  const errors: string[] = [];
  try {
    await looks.until(1);
    const page = await open(browser, served.base, `edge&player=${player}&stream=${stream}`, errors);
    publisher = await act(page, trial, served, publisher);
    if (given.shots) await page.screenshot({ path: join(given.shots, `${plan.name}-${player}.png`) });
    const report = await page.evaluate(() => globalThis.demo.report());
    await publisher.kill();
    await served.ask('POST', `/api/v1/streams/${stream}/stop`);
    const archived = await askArchive(page, report);
    await page.close();
    const numbers = await numbersOf(join(served.folder, 'frames', stream));
    const verdict = judgeOverlay(report, reels, looks, numbers, archived);
    const complaints = overlayComplaints(verdict, plan);
    for (const key of Object.keys(total) as (keyof typeof total)[]) total[key] += verdict[key];
    console.log(JSON.stringify({ overlay: plan.name, player, ...verdict, errors: [...errors, ...report.errors], counts: report.counts, complaints }));
    return complaints.length === 0;
  } finally {
    await publisher.kill();
    looks.close();
  }
}

/** What the archive has of pictures that were shown, evenly chosen. */
async function askArchive(page: Page, { sightings }: Report): Promise<Map<string, number | null>> {
  const names = [...new Set(sightings.filter(({ run }) => run !== null).map(name))];
  const every = Math.max(1, Math.floor(names.length / ASKED));
  const found = new Map<string, number | null>();
  for (const each of names.filter((_name, index) => index % every === 0)) {
    const [run, pts] = each.split('/');
    found.set(each, await page.evaluate(([of, at]) => globalThis.demo.truthOf(Number(of), at!), [run, pts]));
  }
  return found;
}

function cases(): readonly Overlaid[] {
  if (given.brief) return OVERLAID.filter(({ name: each }) => each === 'bframes').map((each) => ({ ...each, seconds: 6, brief: true }));
  return OVERLAID.filter(({ name: each }) => !given.only || given.only.split(',').includes(each));
}

async function prove(browser: Browser, served: Served): Promise<boolean> {
  const players = PLAYERS.filter((player) => !given.player || given.player === player);
  let [passed, failed] = [0, 0];
  for (const plan of given.glass ? [] : cases()) {
    const reels = await Promise.all(plan.runs.map((run) => reelOf(run, join(served.folder, `${plan.name}-${run.run}.flv`))));
    for (const player of players) {
      if (await tryOne(browser, served, { plan, player, stream: `${plan.name}-${player}`, reels })) passed += 1;
      else failed += 1;
    }
    for (const { file } of reels) await rm(file);
  }
  for (const player of given.glass || !(given.brief || given.only) ? players : []) {
    if (await measureGlass(browser, served, player, given.shots)) passed += 1;
    else failed += 1;
  }
  if (total.analysed > 0) console.log(JSON.stringify({ total }));
  if (total.looked < 0.99 * total.analysed && !given.brief && !given.only) failed += 1;
  console.log(`${passed} passed, ${failed} failed`);
  return failed === 0 && passed > 0;
}

async function main(): Promise<boolean> {
  if (!given.server) throw new Error('--server PATH names the binary');
  if (given.shots) await mkdir(given.shots, { recursive: true });
  const served = await Served.start(given.server);
  const browser = await launch(given.chromium);
  try {
    return await prove(browser, served);
  } catch (error) {
    console.error(await served.log());
    throw error;
  } finally {
    await browser.close();
    await served.stop();
  }
}

process.exitCode = (await main()) ? 0 : 1;
