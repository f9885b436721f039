/** Plays a stream's `/media` WebSocket in a video element. */

import { readInit, readSamples, Timeline, type Placement, type VideoTrack } from '@ocelli/join';

import { Appender } from './appender.js';
import { move, PACE, paced, trim, type Move, type PaceOptions, type Ranges } from './pace.js';
import { Placements } from './placements.js';
import { Repeats } from './repeats.js';
import { Socket } from './socket.js';
import { MAX_MESSAGE, readMessage, readPart, type InitMessage, type Message, type Part } from './wire.js';

/** How the player stands. */
export type PlayerState =
  | { readonly state: 'connecting' }
  | { readonly state: 'playing' }
  /** The server says why. */
  | { readonly state: 'paused'; readonly reason: string }
  | { readonly state: 'ended' }
  /** This browser cannot play it; nothing more is tried before the stream changes. */
  | { readonly state: 'unsupported'; readonly codecs: string };

export interface PlayerOptions extends Partial<PaceOptions> {
  readonly onState?: (state: PlayerState) => void;
  /** What was wrong with the connection or the media; the player goes on by itself. */
  readonly onError?: (error: unknown) => void;
}

/** Counted since the player was made. */
export interface PlayerCounts {
  parts: number;
  /** Parts that the server had to leave out. */
  missed: number;
  /** Parts that this player had to leave out. */
  dropped: number;
  jumps: number;
  /** How often it ran dry, and stood until there was enough again. */
  stalls: number;
  reconnects: number;
}

/** Media that waits for the browser. */
const MAX_STEPS = 512;
const MAX_BYTES = MAX_MESSAGE;
const MAX_INIT = 1 << 20;

/** One player for one video element, until it is destroyed. */
export class Player {
  /** Which picture is shown: `follow(video, player.timeline, …)`. */
  readonly timeline = new Timeline();
  readonly counts: PlayerCounts = { parts: 0, missed: 0, dropped: 0, jumps: 0, stalls: 0, reconnects: 0 };
  private readonly wished: PaceOptions;
  private readonly placements = new Placements();
  private readonly socket: Socket;
  private source: MediaSource | null = null;
  private address = '';
  private appender: Appender | null = null;
  private buffer: SourceBuffer | null = null;
  /** Of the connection: told, and the next binary message is its initialisation segment. */
  private awaited: InitMessage | null = null;
  /** Of the connection: parts belong to it. */
  private current: InitMessage | null = null;
  /** Of the media that was taken in last, over whichever connection. */
  private latest: { readonly run: number; readonly init: Uint8Array; readonly repeats: Repeats } | null = null;
  /** Of the buffer. */
  private placement: Placement | null = null;
  private track: VideoTrack | null = null;
  /** Part, in seconds. */
  private longest = 0;
  private codecs = '';
  private live = true;
  private filling = true;
  /** Where the media in the buffer ended when it was looked at last. */
  private end = 0;
  /** The server said that nothing more comes. */
  private over = false;
  private jumped: number | null = null;
  /** It played when its source was closed. */
  private played = false;
  private destroyed = false;

  constructor(
    private readonly video: HTMLVideoElement,
    url: string,
    private readonly options: PlayerOptions = {},
  ) {
    this.wished = { ...PACE, ...options };
    for (const name of ['timeupdate', 'waiting', 'stalled'] as const) video.addEventListener(name, this.keepUp);
    video.addEventListener('seeking', this.seeking);
    video.addEventListener('error', this.failed);
    this.tell({ state: 'connecting' });
    this.socket = new Socket(url, {
      onOpen: () => (this.awaited = this.current = null),
      onText: (text) => this.guarded(() => this.text(text)),
      onBytes: (bytes) => this.guarded(() => this.binary(bytes)),
      onLost: () => {
        this.counts.reconnects += 1;
        this.tell({ state: 'connecting' });
      },
    });
  }

  /** It follows the newest media; false after the viewer has gone back. */
  get isLive(): boolean {
    return this.live;
  }

  /** Back to the newest media. */
  goLive(): void {
    this.live = true;
    this.keepUp();
  }

  private get pace(): PaceOptions {
    return paced(this.wished, this.longest);
  }

  destroy(): void {
    this.destroyed = true;
    for (const name of ['timeupdate', 'waiting', 'stalled'] as const) this.video.removeEventListener(name, this.keepUp);
    this.video.removeEventListener('seeking', this.seeking);
    this.video.removeEventListener('error', this.failed);
    this.socket.destroy();
    this.close();
  }

  /** A message that is wrong ends the connection, not the player. */
  private guarded(read: () => void): void {
    try {
      read();
    } catch (error) {
      this.options.onError?.(error);
      this.socket.again();
    }
  }

  private text(text: string): void {
    const message = readMessage(text);
    if (message?.type === 'init') this.awaited = message;
    else if (message) this.note(message);
  }

  private note(message: Exclude<Message, InitMessage>): void {
    if (message.type === 'missed') this.counts.missed += message.parts;
    else if (message.type === 'paused') this.tell({ state: 'paused', reason: message.reason });
    else this.finish();
  }

  /** Nothing comes that would be worth waiting for. */
  private finish(): void {
    this.over = true;
    this.keepUp();
    this.tell({ state: 'ended' });
  }

  private binary(bytes: ArrayBuffer): void {
    if (bytes.byteLength > MAX_MESSAGE) throw new Error(`a message of ${bytes.byteLength} bytes`);
    const init = this.awaited;
    if (init) {
      this.awaited = null;
      this.current = init;
      this.begin(init, new Uint8Array(bytes));
      return;
    }
    const part = readPart(bytes);
    if (part.run !== this.current?.run) throw new Error(`a part of run ${part.run}, which has not begun`);
    this.counts.parts += 1;
    this.over = false;
    if (this.latest?.repeats.isNew(part)) this.append(part);
  }

  private begin(init: InitMessage, segment: Uint8Array<ArrayBuffer>): void {
    if (segment.length > MAX_INIT) throw new Error(`an initialisation segment of ${segment.length} bytes`);
    const type = `video/mp4; codecs="${init.codecs}"`;
    if (!MediaSource.isTypeSupported(type)) {
      this.close();
      this.tell({ state: 'unsupported', codecs: init.codecs });
      return;
    }
    const track = readInit(segment);
    if (track && track.timescale !== init.timescale) throw new Error('the initialisation segment has another timescale');
    const { latest } = this;
    this.tell({ state: 'playing' });
    if (latest?.run === init.run && equal(latest.init, segment)) {
      latest.repeats.again();
      return;
    }
    this.latest = { run: init.run, init: segment, repeats: new Repeats() };
    if (!this.source) this.open(type);
    this.appender?.push({ bytes: 0, keyframe: false, run: (buffer) => this.place(buffer, init, type, track) });
    // Without bytes: it is never dropped to make room, since all that follows needs it.
    this.appender?.push({ bytes: 0, keyframe: false, run: (buffer) => buffer.appendBuffer(segment) });
  }

  /** A new run, or new parameters: the parser forgets the old ones. */
  private place(buffer: SourceBuffer, init: InitMessage, type: string, track: VideoTrack | null): void {
    buffer.abort();
    if (this.codecs !== init.codecs) {
      if (this.codecs !== '') buffer.changeType(type);
      this.codecs = init.codecs;
    }
    this.placement = this.placements.place(init, this.endOf(buffer));
    this.track = track;
    this.longest = 0;
    buffer.timestampOffset = this.placement.offset;
  }

  /** Where the next run can begin without covering anything. */
  private endOf(buffer: SourceBuffer): number | null {
    const buffered = rangesOf(buffer.buffered).at(-1)?.[1];
    const last = this.timeline.last;
    if (buffered === undefined) return last;
    return last === null ? buffered : Math.max(buffered, last + 0.001);
  }

  private append(part: Part): void {
    const { media, discontinuity, keyframe } = part;
    this.appender?.push({
      bytes: media.byteLength,
      keyframe,
      run: (buffer) => {
        if (discontinuity) buffer.abort();
        buffer.appendBuffer(media);
        this.list(media);
      },
    });
  }

  /** A part that the browser reads and this does not costs boxes, not the picture. */
  private list(media: Uint8Array): void {
    if (!this.placement || !this.track) return;
    try {
      const samples = readSamples(media, this.track);
      this.timeline.add(this.placement, samples);
      this.longest = Math.max(this.longest, samples.reduce((sum, { duration }) => sum + duration, 0) / this.track.timescale);
    } catch (error) {
      this.options.onError?.(error);
    }
  }

  private open(type: string): void {
    const source = new MediaSource();
    this.source = source;
    this.appender = new Appender({
      maxSteps: MAX_STEPS,
      maxBytes: MAX_BYTES,
      makeRoom: (full) => this.makeRoom(full),
      onDropped: (parts) => (this.counts.dropped += parts),
      onDone: this.keepUp,
      onBroken: this.failed,
    });
    source.addEventListener('sourceopen', () => this.ready(source, type), { once: true });
    this.address = URL.createObjectURL(source);
    // A new source pauses the element, whoever played it.
    const play = this.played || !this.video.paused || this.video.autoplay;
    this.video.src = this.address;
    if (play) this.video.play().catch((error: unknown) => this.options.onError?.(error));
  }

  private ready(source: MediaSource, type: string): void {
    if (this.source !== source) return;
    try {
      this.buffer = source.addSourceBuffer(type);
    } catch (error) {
      this.failed(error);
      return;
    }
    this.appender?.attach(this.buffer);
    this.keepUp();
  }

  private makeRoom(buffer: SourceBuffer): boolean {
    const start = rangesOf(buffer.buffered)[0]?.[0];
    const to = this.video.currentTime - 1;
    if (start === undefined || to <= start) return false;
    buffer.remove(0, to);
    return true;
  }

  /** The browser cannot go on with this media: begin anew with a fresh source. */
  private readonly failed = (error: unknown): void => {
    if (this.destroyed || !this.source) return;
    this.options.onError?.(this.video.error ?? error);
    this.close();
    this.socket.again();
  };

  private close(): void {
    this.appender?.destroy();
    this.appender = null;
    this.buffer = this.source = null;
    this.placement = this.track = null;
    this.latest = null;
    this.codecs = '';
    this.filling = true;
    this.placements.clear();
    this.timeline.clear();
    if (this.address) {
      this.played = !this.video.paused;
      URL.revokeObjectURL(this.address);
      this.address = '';
      this.video.removeAttribute('src');
      this.video.load();
    }
  }

  private readonly seeking = (): void => {
    const to = this.video.currentTime;
    const own = this.jumped !== null && Math.abs(this.jumped - to) < 0.01;
    this.jumped = null;
    if (own) return;
    const end = this.buffer ? rangesOf(this.buffer.buffered).at(-1)?.[1] : undefined;
    this.live = end === undefined || end - to <= this.pace.limit;
    if (!this.live) this.video.playbackRate = 1;
  };

  private readonly keepUp = (): void => {
    const { buffer, video } = this;
    // Closed: the element was given something else to play.
    if (!buffer || this.destroyed || this.source?.readyState === 'closed') return;
    const ranges = rangesOf(buffer.buffered);
    // Who has paused it wants to see this picture.
    const held = video.paused && video.played.length > 0;
    const end = ranges.at(-1)?.[1] ?? 0;
    if (!held) this.jump(move(video.currentTime, ranges, this.live, this.filling && !this.over, this.pace, end !== this.end));
    this.end = end;
    const to = trim(video.currentTime, ranges, this.pace);
    if (to === null || buffer.updating) return;
    buffer.remove(0, to);
    this.timeline.forgetBefore(to - 1);
  };

  private jump({ to, rate, filling }: Move): void {
    const { video } = this;
    if (filling && !this.filling) this.counts.stalls += 1;
    this.filling = filling;
    if (rate !== null && video.playbackRate !== rate) video.playbackRate = rate;
    if (to === null || video.seeking) return;
    this.jumped = to;
    this.counts.jumps += 1;
    video.currentTime = to;
  }

  private tell(state: PlayerState): void {
    if (!this.destroyed) this.options.onState?.(state);
  }
}

function rangesOf(ranges: TimeRanges): Ranges {
  return Array.from({ length: ranges.length }, (_unused, index) => [ranges.start(index), ranges.end(index)] as const);
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}
