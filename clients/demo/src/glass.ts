/** Glass to glass: how old a picture is when the page draws it. The picture itself says when it was painted. */

import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

import type { Browser } from 'playwright-core';

import { open, type PlayerName } from './browser.js';
import { LIMIT } from './number.js';
import type { Sighting } from './page.js';
import { paintEdge } from './reel.js';
import type { Served } from './served.js';

const [WIDTH, HEIGHT, RATE] = [1280, 720, 30];
const SECONDS = 25;
/** Until the player has settled, in seconds. */
const WARM = 5;
/** 95 % of pictures are at most so old when they are shown, in seconds. */
const TARGETS = { hls: 1.5, socket: 0.6 } as const;

/** A camera that films a clock: pictures are painted when they are due, or left out where nobody takes them. */
class Clock {
  private readonly child;
  private readonly planes = Buffer.alloc((WIDTH * HEIGHT * 3) / 2, 128);
  private over = false;
  private painted = 0;
  left = 0;

  constructor(url: string) {
    const input = ['-use_wallclock_as_timestamps', '1', '-f', 'rawvideo', '-pix_fmt', 'yuv420p', '-s', `${WIDTH}x${HEIGHT}`, '-i', 'pipe:0'];
    const coding = ['-c:v', 'libx264', '-preset', 'ultrafast', '-tune', 'zerolatency', '-g', `${RATE}`];
    this.child = spawn('ffmpeg', ['-hide_banner', '-loglevel', 'error', '-fflags', 'nobuffer', ...input, '-fps_mode', 'passthrough', ...coding, '-f', 'flv', url], {
      stdio: ['pipe', 'ignore', 'inherit'],
    });
    this.child.stdin.on('error', () => (this.over = true));
    for (let y = 0; y < HEIGHT; y++) for (let x = 0; x < WIDTH; x++) this.planes[y * WIDTH + x] = 60 + ((x ^ y) & 63);
    void this.run();
  }

  async stop(): Promise<void> {
    this.over = true;
    const ended = new Promise((resolve) => this.child.once('close', resolve));
    this.child.kill('SIGKILL');
    if (this.child.exitCode === null && this.child.signalCode === null) await ended;
  }

  private async run(): Promise<void> {
    const began = performance.now();
    for (let due = 0; !this.over; due++) {
      await pause(Math.max(0, began + (due * 1000) / RATE - performance.now()));
      // ffmpeg has not taken the picture before: it is late already.
      if (this.child.stdin.writableLength > 0) {
        this.left += 1;
        continue;
      }
      this.paint();
    }
  }

  private paint(): void {
    // Something moves below, so that coding has something to do.
    const row = HEIGHT / 2 + (this.painted++ % (HEIGHT / 4));
    this.planes.fill((this.painted * 7) & 255, row * WIDTH, (row + 8) * WIDTH);
    paintEdge(this.planes, WIDTH, HEIGHT, Date.now() % LIMIT);
    // The buffer is painted over when the next picture is due, and not before ffmpeg has this one.
    this.child.stdin.write(this.planes);
  }
}

/** Says how it went; true: the target is reached. */
export async function measureGlass(browser: Browser, served: Served, player: PlayerName, shots: string | undefined): Promise<boolean> {
  const stream = `glass-${player}`;
  await served.create(stream, []);
  const clock = new Clock(served.publishUrl(stream));
  const errors: string[] = [];
  try {
    await playable(served, stream);
    const page = await open(browser, served.base, `edge&player=${player}&stream=${stream}`, errors);
    await pause(SECONDS * 1000);
    if (shots) await page.screenshot({ path: join(shots, `glass-${player}.png`) });
    const { sightings, counts, errors: told } = await page.evaluate(() => globalThis.demo.report());
    await page.close();
    const from = (sightings[0]?.at ?? 0) + WARM * 1000;
    const seen = sightings.filter(({ at, number }) => at >= from && number !== null);
    const ages = sorted(seen.map(ageOf));
    const [p50, p95] = [at(ages, 0.5), at(ages, 0.95)];
    // How old the newest media is that the page has: what painter, coder, network and server take. The rest is the player's.
    const arrival = at(sorted(seen.map((sighting) => ageOf(sighting) - sighting.ahead)), 0.05);
    const complaints = p95 === null || p95 > TARGETS[player] ? [`p95 ${p95} s, to reach: ${TARGETS[player]} s`] : [];
    if (ages.length < (SECONDS - WARM) * 10) complaints.push(`only ${ages.length} pictures shown`);
    console.log(JSON.stringify({ glass: player, pictures: ages.length, p50, p95, most: ages.at(-1) ?? null, arrival, left: clock.left, errors: [...errors, ...told], counts, complaints }));
    return complaints.length === 0;
  } finally {
    await clock.stop();
  }
}

function ageOf({ at: shown, number }: Sighting): number {
  return ((((shown - number!) % LIMIT) + LIMIT) % LIMIT) / 1000;
}

function sorted(values: readonly number[]): number[] {
  return [...values].sort((a, b) => a - b);
}

/** Of ascending values, the one that so many are below. */
function at(values: readonly number[], share: number): number | null {
  return values[Math.min(values.length - 1, Math.floor(share * values.length))] ?? null;
}

/** Until there is a playlist, which says that media has come. */
async function playable(served: Served, stream: string): Promise<void> {
  for (let tries = 0; tries < 100; tries++) {
    const answer = await fetch(`${served.base}/api/v1/streams/${stream}/hls/live.m3u8?_HLS_msn=0`);
    await answer.arrayBuffer();
    if (answer.ok) return;
    await pause(200);
  }
  throw new Error(`nothing comes from ${stream}`);
}
