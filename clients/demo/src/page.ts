/** The page: plays a stream, draws its boxes, and compares each picture with the box that the join chose. */

import { cover, draw, follow, Overlay, parseExact, readResult, ticksAt, HlsJoin, runOf, type Frame, type FrameResult, type Showing, type Shown, type Timeline } from '@ocelli/join';
import { PACE, Player } from '@ocelli/player';
import Hls from 'hls.js';

import { truthOf } from './truth.js';
import { cells, DARK, LIGHT, readNumber, readStrip, type Pixels } from './number.js';

/** One picture that was shown. */
export interface Sighting {
  readonly mediaTime: number;
  /** Read from its pixels. */
  readonly number: number | null;
  readonly run: number | null;
  /** Exact, in units of the timescale; a string, since JSON has no such numbers. */
  readonly units: string | null;
  /** The number in the box of exactly this picture. */
  readonly label: number | null;
  readonly interpolated: boolean;
  /** The result of exactly this picture was there when it was shown. */
  readonly looked: boolean;
  /** Boxes of exactly this picture that were drawn. */
  readonly boxes: number;
  /** When the page drew it, in milliseconds since 1970. */
  readonly at: number;
  /** Media that the player had beyond it, in seconds. */
  readonly ahead: number;
  /** What the arithmetic of the API reference makes of it, where it could be asked. */
  readonly formula: string | null;
}

export interface Report {
  readonly sightings: readonly Sighting[];
  /** By sighting: it has a result, come in time or not. */
  readonly analysed: readonly boolean[];
  readonly errors: readonly string[];
  readonly counts: unknown;
}

export interface Demo {
  back(seconds: number): void;
  live(): void;
  report(): Report;
  /** The number in the server's own picture. */
  truthOf(run: number, pts: string): Promise<number | null>;
}

declare global {
  var demo: Demo;
}

const options = new URLSearchParams(location.search);
const stream = options.get('stream') ?? 'live-demo';
const streamUrl = `${options.get('base') ?? location.origin}/api/v1/streams/${stream}`;
const socketUrl = streamUrl.replace(/^http/, 'ws');
const video = element<HTMLVideoElement>('video');
const glass = element<HTMLCanvasElement>('glass');
const pen = glass.getContext('2d') as CanvasRenderingContext2D;
const lens = new OffscreenCanvas(320, 180);
const lensPen = lens.getContext('2d', { willReadFrequently: true }) as OffscreenCanvasRenderingContext2D;

const overlay = new Overlay();
const sightings: Sighting[] = [];
const frames: (Frame | null)[] = [];
const errors: string[] = [];
/** Older sightings are forgotten: people may leave the page open. */
const LIMIT = 5_000;
let checked = 0;
let off = 0;
let compared = 0;

/** Where pictures carry their number: in the middle, as the testkit's do, or along the edge of what real cameras saw. */
const readCode: (pixels: Pixels) => number | null = options.has('edge') ? readStrip : (pixels) => readNumber(pixels);
/** Somebody watches, and labels are words: numbers are compared with those of the server's own pictures. */
const asks = options.has('truth');
/** One question at a time; who watches needs not all answers. */
let asking = false;

interface Playing {
  readonly timeline: Timeline;
  readonly live: () => void;
  readonly counts: () => unknown;
  readonly formula: (frame: Frame, mediaTime: number) => bigint | null;
}

function element<T extends HTMLElement>(id: string): T {
  return document.getElementById(id) as T;
}

function playHls(): Playing {
  // Left alone, hls.js stays as late as it began; faster, it goes back to where the playlist says.
  const hls = new Hls({ lowLatencyMode: true, backBufferLength: 4, liveDurationInfinity: true, enableWorker: true, maxLiveSyncPlaybackRate: 1.1 });
  const join = new HlsJoin(hls, { onError: (error) => errors.push(String(error)) });
  const initial = new Map<number, { initPTS: number; timescale: number }>();
  hls.on(Hls.Events.INIT_PTS_FOUND, (_event, { frag, initPTS, timescale }) => void initial.set(runOf(frag.initSegment?.relurl), { initPTS, timescale }));
  hls.on(Hls.Events.ERROR, (_event, { fatal, details }) => void (fatal ? errors.push(details) : details === Hls.ErrorDetails.BUFFER_STALLED_ERROR && (stalls += 1)));
  let stalls = 0;
  hls.loadSource(`${streamUrl}/hls/live.m3u8`);
  hls.attachMedia(video);
  return {
    timeline: join.timeline,
    live: () => void (video.currentTime = hls.liveSyncPosition ?? video.currentTime),
    counts: () => ({ latency: hls.latency, target: hls.targetLatency, stalls }),
    formula: (frame, mediaTime) => {
      const found = initial.get(frame.run);
      return found?.timescale === frame.timescale ? ticksAt(mediaTime, found.initPTS, found.timescale) : null;
    },
  };
}

function wordsOf(error: unknown): string {
  return error instanceof MediaError ? `media: ${error.message}` : String(error);
}

function playSocket(): Playing {
  const behind = Number(options.get('behind') ?? PACE.behind);
  const player = new Player(video, `${socketUrl}/media`, { behind, onError: (error) => errors.push(wordsOf(error)) });
  return { timeline: player.timeline, live: () => player.goLive(), counts: () => player.counts, formula: () => null };
}

/** Boxes of what is shown now; the number in them, also for machines. */
function show({ frame, image }: Showing): readonly Shown[] {
  const boxes = frame ? overlay.boxesOf(frame) : [];
  const picture = cover(glass, video);
  // `?bare` shows what an overlay alone would do.
  draw(pen, picture, boxes, options.has('bare') ? undefined : image);
  const exact = boxes.find((box) => !box.interpolated);
  if (options.has('strip') && exact) strip(Number(exact.label));
  return boxes;
}

/** The number of the box as a row of cells above the picture's own, so that a photograph of the screen holds both. */
function strip(number: number): void {
  const bits = cells(number);
  const width = glass.width * 0.75;
  for (let index = 0; index < 32; index++) {
    const grey = (bits >>> (31 - index)) & 1 ? LIGHT : DARK;
    pen.fillStyle = `rgb(${grey} ${grey} ${grey})`;
    pen.fillRect(glass.width / 8 + (index * width) / 32, glass.height * 0.02, width / 32 + 1, glass.height * 0.08);
  }
}

function see(playing: Playing, showing: Showing): void {
  const { frame, mediaTime, image } = showing;
  lensPen.drawImage(image, 0, 0, lens.width, lens.height);
  const number = readCode(lensPen.getImageData(0, 0, lens.width, lens.height));
  const boxes = show(showing);
  const [exact] = boxes.filter((box) => !box.interpolated);
  const label = exact && /^\d+$/.test(exact.label) ? Number(exact.label) : null;
  const formula = frame && playing.formula(frame, mediaTime);
  const result = lookAt(frame);
  // The same picture again, with its result or ahead of its callback.
  if (sightings.at(-1)?.mediaTime === mediaTime) {
    frames.pop();
    sightings.pop();
    checked -= 1;
  }
  checked += 1;
  if (sightings.length === LIMIT) {
    frames.shift();
    sightings.shift();
  }
  frames.push(frame);
  sightings.push({
    mediaTime,
    number,
    run: frame?.run ?? null,
    units: frame ? `${frame.units}` : null,
    label,
    interpolated: boxes.some((box) => box.interpolated),
    looked: result !== null,
    boxes: boxes.filter((box) => !box.interpolated).length,
    at: Date.now(),
    ahead: video.buffered.length > 0 ? video.buffered.end(video.buffered.length - 1) - mediaTime : 0,
    formula: formula === null ? null : `${formula}`,
  });
  if (label !== null && label !== number) off += 1;
  if (asks && result && number !== null) void ask(result, number);
  tell(frame, number, label);
}

/** Compares what is on the screen with the picture that the server has of the result. */
async function ask({ run, pts }: FrameResult, shown: number): Promise<void> {
  if (asking) return;
  asking = true;
  try {
    const number = await truthOf(streamUrl, run, pts, readCode);
    if (number === null) return;
    compared += 1;
    if (number !== shown) off += 1;
    // It comes later than its picture: both are named.
    element('label').textContent = `${number}, shown as ${shown}`;
  } finally {
    asking = false;
  }
}

function tell(frame: Frame | null, number: number | null, label: number | null): void {
  element('number').textContent = `${number ?? '–'}`;
  if (!asks) element('label').textContent = `${label ?? '–'}`;
  element('run').textContent = `${frame?.run ?? '–'}`;
  element('pts').textContent = frame ? `${frame.units} / ${frame.timescale}` : '–';
  element('checked').textContent = `${checked}`;
  element('off').textContent = `${off}`;
  element('off').className = off > 0 ? 'off' : '';
  const analysed = sightings.filter((_sighting, index) => isAnalysed(index));
  element('analysed').textContent = `${analysed.length}`;
  element('boxed').textContent = `${analysed.filter((sighting) => sighting.looked).length}`;
  element('compared').textContent = `${compared}`;
}

/** What a model saw in this picture; a verdict without a look is none. */
function lookAt(frame: Frame | null | undefined): FrameResult | null {
  const result = frame ? overlay.resultOf(frame) : null;
  return result && result.looks.size > 0 ? result : null;
}

function isAnalysed(index: number): boolean {
  return lookAt(frames[index]) !== null;
}

function hear(): void {
  const socket = new WebSocket(`${socketUrl}/live`);
  socket.onmessage = ({ data }: MessageEvent<string>) => {
    const result = readResult(parseExact(data));
    if (!result) return;
    const shown = frames.at(-1);
    const known = shown && overlay.resultOf(shown);
    overlay.put(result);
    if (shown && overlay.resultOf(shown) !== known) following.refresh();
  };
  socket.onclose = () => void setTimeout(hear, 500);
}

const playing = options.get('player') === 'hls' ? playHls() : playSocket();
element('title').textContent = `${stream}, played by ${options.get('player') === 'hls' ? `hls.js ${Hls.version}` : 'the WebSocket player'}`;
const following = follow(video, playing.timeline, (showing) => see(playing, showing));
hear();
video.play().catch((error: unknown) => errors.push(String(error)));

globalThis.demo = {
  back: (seconds) => void (video.currentTime -= seconds),
  live: playing.live,
  truthOf: (run, pts) => truthOf(streamUrl, run, BigInt(pts), readCode),
  report: () => ({ sightings, analysed: sightings.map((_sighting, index) => isAnalysed(index)), errors, counts: playing.counts() }),
};
