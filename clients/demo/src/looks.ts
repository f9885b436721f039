/** Which pictures the server's models looked at, by its own account, and what those pictures truly were. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

import { parseExact, readResult, toTicks } from '@ocelli/join';
import { WebSocket } from 'ws';

import { readStrip } from './number.js';

const [WIDTH, HEIGHT] = [640, 360];
const PATIENCE = 60_000;

/** A picture by run and PTS. */
export function nameOf(run: number, pts: bigint | string): string {
  return `${run}/${pts}`;
}

/** Follows a stream's live results. */
export class Looks {
  /** Ordinal in the frame folder, by {@link nameOf}: the very picture that was looked at, as a file. */
  readonly frames = new Map<string, number>();
  detections = 0;

  private constructor(private readonly socket: WebSocket) {
    socket.on('message', (data) => this.take(String(data)));
  }

  static async follow(base: string, stream: string): Promise<Looks> {
    const socket = new WebSocket(`${base.replace(/^http/, 'ws')}/api/v1/streams/${stream}/live?types=results`);
    const looks = new Looks(socket);
    await once(socket, 'open');
    return looks;
  }

  /** Until so many are known. */
  async until(count: number): Promise<void> {
    const signal = AbortSignal.timeout(PATIENCE);
    while (this.frames.size < count) await once(this.socket, 'message', { signal });
  }

  close(): void {
    this.socket.terminate();
  }

  private take(text: string): void {
    const message = parseExact(text) as Record<string, unknown>;
    const result = readResult(message);
    if (result?.looks.size !== 1 || message['frame'] === null) return;
    this.frames.set(nameOf(result.run, result.pts), Number(toTicks(message['frame'])));
    for (const seen of result.looks.values()) this.detections += seen.length;
  }
}

/** The numbers in the pictures of a frame folder, by their ordinals, which begin with 1. */
export async function numbersOf(folder: string): Promise<(number | null)[]> {
  const input = ['-hide_banner', '-loglevel', 'error', '-start_number', '1', '-i', join(folder, 'frame_%04d.jpg')];
  const child = spawn('ffmpeg', [...input, '-fps_mode', 'passthrough', '-pix_fmt', 'rgba', '-f', 'rawvideo', 'pipe:1'], { stdio: ['ignore', 'pipe', 'inherit'] });
  const numbers: (number | null)[] = [null];
  const size = WIDTH * HEIGHT * 4;
  let rest = Buffer.alloc(0);
  for await (const chunk of child.stdout) {
    rest = Buffer.concat([rest, chunk as Buffer]);
    for (; rest.length >= size; rest = rest.subarray(size)) {
      numbers.push(readStrip({ data: new Uint8ClampedArray(rest.subarray(0, size)), width: WIDTH, height: HEIGHT }));
    }
  }
  if (rest.length > 0) throw new Error(`pictures in ${folder} are not ${WIDTH}x${HEIGHT}`);
  return numbers;
}
