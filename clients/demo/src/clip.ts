/** A run's media: painted, coded by ffmpeg, cut into parts as the server cuts them. */

import { spawn } from 'node:child_process';

import { boxes, readInit, readSamples, type Sample } from '@ocelli/join';

import { numberOf, type RunPlan } from './cases.js';
import { HEIGHT, paint, WIDTH } from './paint.js';

export interface ClipPart {
  readonly bytes: Buffer;
  readonly keyframe: boolean;
  /** In ticks. */
  readonly firstPts: bigint;
  /** When its last picture ends, in seconds after the first of the run begins. */
  readonly end: number;
  readonly seconds: number;
  /** Ordinals of its pictures. */
  readonly frames: readonly number[];
}

export interface Clip {
  readonly plan: RunPlan;
  readonly init: Buffer;
  readonly codecs: string;
  readonly parts: readonly ClipPart[];
}

/** Two seconds, more or less. */
export const GOP = 60;

export async function clipOf(plan: RunPlan): Promise<Clip> {
  const bytes = await encode(plan);
  const pieces = piecesOf(bytes);
  const first = pieces.findIndex((piece) => piece.type === 'moof');
  const init = Buffer.concat(pieces.slice(0, first).map((piece) => piece.bytes));
  const track = readInit(init);
  if (!track || track.timescale !== plan.timeBase[1]) throw new Error(`ffmpeg made another timescale: ${track?.timescale}`);
  const parts: ClipPart[] = [];
  for (let at = first; pieces[at]?.type === 'moof'; at += 2) {
    const media = Buffer.concat([pieces[at]!.bytes, pieces[at + 1]!.bytes]);
    const samples = readSamples(media, track);
    const before = parts.at(-1);
    if (samples.length > 0) parts.push(partOf(plan, media, samples));
    // Sound alone belongs to the part before.
    else if (before) parts[parts.length - 1] = { ...before, bytes: Buffer.concat([before.bytes, media]) };
  }
  check(plan, parts);
  return { plan, init, codecs: codecsOf(init) + (plan.sound ? ',mp4a.40.2' : ''), parts };
}

function partOf(plan: RunPlan, bytes: Buffer, samples: readonly Sample[]): ClipPart {
  const [num, den] = plan.timeBase;
  const zero = BigInt(plan.pts(0) * num);
  const known = new Map(Array.from({ length: plan.frames }, (_unused, n) => [BigInt(plan.pts(n) * num), n]));
  const frames = samples.map(({ units }) => {
    const n = known.get(units);
    if (n === undefined) throw new Error(`ffmpeg wrote the PTS ${units}, which no picture has`);
    return n;
  });
  const first = Math.min(...frames);
  const seconds = samples.reduce((sum, sample) => sum + sample.duration, 0) / den;
  const ends = samples.map((sample) => Number(sample.units - zero + BigInt(sample.duration)) / den);
  return { bytes, keyframe: frames[0]! % GOP === 0, firstPts: BigInt(plan.pts(first)), end: Math.max(...ends), seconds, frames };
}

/** Every picture once; what the join is measured by must itself be right. */
function check(plan: RunPlan, parts: readonly ClipPart[]): void {
  const all = parts.flatMap((part) => part.frames).sort((a, b) => a - b);
  if (all.length !== plan.frames || all.some((n, index) => n !== index)) throw new Error('ffmpeg lost or doubled pictures');
  if (plan.bFrames > 0 && !parts.some((part) => part.frames.some((n, index) => n < (part.frames[index - 1] ?? 0)))) {
    throw new Error('ffmpeg made no B-frames');
  }
}

function encode(plan: RunPlan): Promise<Buffer> {
  const { bFrames, expression, timeBase, negativeOffsets, shrink } = plan;
  const flags = `+empty_moov+default_base_moof+frag_keyframe+frag_discont${negativeOffsets ? '+negative_cts_offsets' : ''}`;
  const child = spawn(
    'ffmpeg',
    [
      ['-hide_banner', '-loglevel', 'error', '-f', 'rawvideo', '-pix_fmt', 'yuv420p', '-s', `${WIDTH}x${HEIGHT}`, '-r', '30', '-i', 'pipe:0'],
      plan.sound ? soundOf(plan) : [],
      ['-vf', `scale=iw/${shrink}:-2,settb=1/${timeBase[1]},setpts='${expression}'`, '-fps_mode', 'passthrough', '-enc_time_base', `1/${timeBase[1]}`],
      ['-c:v', 'libx264', '-preset', 'veryfast', '-threads', '2', '-g', `${GOP}`, '-sc_threshold', '0', '-bf', `${bFrames}`],
      ['-avoid_negative_ts', 'disabled', '-use_editlist', '0', '-movflags', flags, '-frag_duration', '190000'],
      ['-video_track_timescale', `${timeBase[1]}`, '-f', 'mp4', 'pipe:1'],
    ].flat(),
    { stdio: ['pipe', 'pipe', 'inherit'] },
  );
  const chunks: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  void feed(child.stdin, plan);
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => (code === 0 ? resolve(Buffer.concat(chunks)) : reject(new Error(`ffmpeg: ${code}`))));
  });
}

/** As long as the pictures, and beginning with them. */
function soundOf({ pts, frames, timeBase: [num, den] }: RunPlan): string[] {
  const [begin, seconds] = [(pts(0) * num) / den, ((pts(frames - 1) - pts(0)) * num) / den];
  return ['-f', 'lavfi', '-i', `sine=440:r=48000:d=${seconds}`, '-af', `asetpts='PTS+${begin}/TB'`, '-c:a', 'aac', '-b:a', '64k'];
}

async function feed(stdin: NodeJS.WritableStream, plan: RunPlan): Promise<void> {
  stdin.on('error', () => {
    // ffmpeg has ended; its exit code says why.
  });
  for (let n = 0; n < plan.frames; n++) {
    if (!stdin.write(paint(numberOf(plan.run, n), n))) await new Promise((resolve) => stdin.once('drain', resolve));
  }
  stdin.end();
}

function piecesOf(bytes: Buffer): { type: string; bytes: Buffer }[] {
  const pieces: { type: string; bytes: Buffer }[] = [];
  let at = 0;
  for (const { type, body } of boxes(new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength))) {
    const end = body.byteOffset - bytes.byteOffset + body.byteLength;
    pieces.push({ type, bytes: bytes.subarray(at, end) });
    at = end;
  }
  return pieces;
}

/** From the decoder configuration (ISO/IEC 14496-15). */
function codecsOf(init: Buffer): string {
  const at = init.indexOf('avcC');
  return `avc1.${init.subarray(at + 5, at + 8).toString('hex')}`;
}
