/** What real cameras saw, with the picture's number along the upper edge, as a file to publish. */

import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { Writable } from 'node:stream';
import { promisify } from 'node:util';

import { NUMBERS_PER_RUN, numberOf } from './cases.js';
import { cells, DARK, LIGHT, STRIP } from './number.js';

/** One run of a stream. Its times are milliseconds, for RTMP has no others. */
export interface ReelPlan {
  readonly run: number;
  readonly seconds: number;
  /** PTS of the first picture. */
  readonly begin: number;
  /** How much later picture N is, as an expression of ffmpeg's `setpts`. */
  readonly expression: string;
  readonly bFrames: number;
  readonly sound: boolean;
}

/** Which picture of a run has which PTS. */
export interface Reel {
  readonly plan: ReelPlan;
  readonly file: string;
  /** By ordinal. */
  readonly pts: readonly bigint[];
}

const RATE = 25;
const [WIDTH, HEIGHT, EDGE] = [640, 360, 88];
const run = promisify(execFile);

/** Cyclists and cars in a street, which the default model sees in nearly every picture. */
function footage(): string {
  const data = process.env['XDG_DATA_HOME'] ?? join(homedir(), '.local/share');
  const file = join(process.env['OCELLI_HOME'] ?? join(data, 'ocelli'), 'footage/bikes.mp4');
  if (!existsSync(file)) throw new Error(`${file} is missing: ./dev setup fetches it`);
  return file;
}

export async function reelOf(plan: ReelPlan, file: string): Promise<Reel> {
  const frames = plan.seconds * RATE;
  if (frames >= NUMBERS_PER_RUN) throw new Error('a reel of more pictures than a run has numbers');
  const edge = ['-f', 'rawvideo', '-pix_fmt', 'yuv420p', '-s', `${WIDTH}x${EDGE}`, '-r', `${RATE}`, '-i', 'pipe:0'];
  const tone = ['-f', 'lavfi', '-i', `sine=440:r=48000:d=${plan.seconds}`];
  const graph = [
    `[0:v]fps=${RATE},scale=${WIDTH}:${HEIGHT - EDGE},format=yuv420p,pad=${WIDTH}:${HEIGHT}:0:${EDGE}[street]`,
    `[street][1:v]overlay=0:0:shortest=1,settb=1/1000,setpts='${plan.begin}+${plan.expression}'[out]`,
  ].join(';');
  const coding = ['-c:v', 'libx264', '-preset', 'veryfast', '-threads', '2', '-g', '50', '-sc_threshold', '0', '-bf', `${plan.bFrames}`];
  const child = spawn(
    'ffmpeg',
    [
      ['-hide_banner', '-loglevel', 'error', '-y', '-stream_loop', '-1', '-i', footage(), ...edge, ...(plan.sound ? tone : [])],
      ['-filter_complex', graph, '-map', '[out]', ...(plan.sound ? ['-map', '2:a', '-af', `asetpts='PTS+${plan.begin}/1000/TB'`, '-c:a', 'aac'] : [])],
      ['-fps_mode', 'passthrough', '-enc_time_base', '1/1000', ...coding, '-frames:v', `${frames}`, '-f', 'flv', file],
    ].flat(),
    { stdio: ['pipe', 'ignore', 'inherit'] },
  );
  const ended = new Promise<void>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => (code === 0 ? resolve() : reject(new Error(`ffmpeg: ${code}`))));
  });
  await Promise.all([feed(child.stdin, plan, frames), ended]);
  const pts = await timesOf(file);
  if (pts.length !== frames) throw new Error(`${pts.length} pictures in ${file}, not ${frames}`);
  return { plan, file, pts };
}

async function timesOf(file: string): Promise<bigint[]> {
  const asked = ['-v', 'error', '-select_streams', 'v', '-show_entries', 'packet=pts', '-of', 'csv=p=0', file];
  const { stdout } = await run('ffprobe', asked, { maxBuffer: 1 << 24 });
  const times = stdout.match(/-?\d+/g) ?? [];
  return times.map(BigInt).sort((a, b) => (a < b ? -1 : 1));
}

async function feed(stdin: Writable, { run: ordinal }: ReelPlan, frames: number): Promise<void> {
  stdin.on('error', () => {
    // ffmpeg has what it needs, or its exit code says why not.
  });
  for (let n = 0; n < frames; n++) {
    const planes = Buffer.alloc((WIDTH * EDGE * 3) / 2, 128);
    planes.fill(16, 0, WIDTH * EDGE);
    paintEdge(planes, WIDTH, HEIGHT, numberOf(ordinal, n));
    if (stdin.destroyed) return;
    if (!stdin.write(planes)) await eitherOf(stdin);
  }
  stdin.end();
}

/** It takes more, or nothing ever again. */
async function eitherOf(stdin: Writable): Promise<void> {
  const over = new AbortController();
  try {
    await Promise.race(['drain', 'close'].map((event) => once(stdin, event, { signal: over.signal }).catch(() => undefined)));
  } finally {
    over.abort();
  }
}

/** Paints the strip of `number` into the luma at the beginning of `planes`, of a picture of this size. */
export function paintEdge(planes: Buffer, width: number, height: number, number: number): void {
  const bits = cells(number);
  const { area, columns, rows } = STRIP;
  for (let index = 0; index < columns * rows; index++) {
    const [column, row] = [index % columns, Math.floor(index / columns)];
    const [x0, x1] = [column, column + 1].map((at) => Math.round((area.x + (at * area.width) / columns) * width));
    const [y0, y1] = [row, row + 1].map((at) => Math.round((area.y + (at * area.height) / rows) * height));
    for (let y = y0!; y < y1!; y++) planes.fill((bits >>> (31 - index)) & 1 ? LIGHT : DARK, y * width + x0!, y * width + x1!);
  }
}
