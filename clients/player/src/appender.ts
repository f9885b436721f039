/** Puts media into a `SourceBuffer` in order, one step at a time, as it asks. */

/** One step; it may begin an update of the buffer. */
export interface Step {
  /** What it holds in memory. */
  readonly bytes: number;
  /** Media that pictures before it do not need and that needs none of them: where a queue that is too long is cut. */
  readonly keyframe: boolean;
  readonly run: (buffer: SourceBuffer) => void;
}

export interface AppenderOptions {
  readonly maxSteps: number;
  readonly maxBytes: number;
  /** Makes room when the buffer is full; false where there is none to make. */
  readonly makeRoom: (buffer: SourceBuffer) => boolean;
  /** So many parts were given up. */
  readonly onDropped: (parts: number) => void;
  /** The buffer has taken something in. */
  readonly onDone: () => void;
  /** The buffer takes nothing any more. */
  readonly onBroken: (error: unknown) => void;
}

/** The parser forgets what it knew, and takes media again from a keyframe on: something is missing before. */
const GAP: Step = { bytes: 0, keyframe: false, run: (buffer) => buffer.abort() };

/** Steps wait until there is a buffer. */
export class Appender {
  private buffer: SourceBuffer | null = null;
  private queue: Step[] = [];
  private bytes = 0;
  private tried = false;
  private ended = false;

  constructor(private readonly options: AppenderOptions) {}

  attach(buffer: SourceBuffer): void {
    this.buffer = buffer;
    buffer.addEventListener('updateend', this.done);
    buffer.addEventListener('error', this.broken);
    this.next();
  }

  push(step: Step): void {
    if (this.ended) return;
    this.queue.push(step);
    this.bytes += step.bytes;
    if (this.queue.length > this.options.maxSteps || this.bytes > this.options.maxBytes) this.cut();
    this.next();
  }

  destroy(): void {
    this.ended = true;
    this.buffer?.removeEventListener('updateend', this.done);
    this.buffer?.removeEventListener('error', this.broken);
    this.queue = [];
    this.bytes = 0;
  }

  /** Gives up media up to the newest keyframe, or all of it; steps without media stay, since what follows rests on them. */
  private cut(): void {
    const keyframe = this.queue.findLastIndex((step) => step.keyframe);
    const from = keyframe > 0 ? keyframe : this.queue.length;
    const before = this.queue.slice(0, from);
    this.queue = [...before.filter((step) => step.bytes === 0), GAP, ...this.queue.slice(from)];
    this.bytes = this.queue.reduce((sum, step) => sum + step.bytes, 0);
    this.options.onDropped(before.filter((step) => step.bytes > 0).length);
    if (this.queue.length > this.options.maxSteps) this.broken(new Error('more changes of the media than can be followed'));
  }

  private readonly done = (): void => {
    this.options.onDone();
    this.next();
  };

  private next(): void {
    while (!this.ended && this.buffer && !this.buffer.updating) {
      const step = this.queue[0];
      if (!step) break;
      if (!this.attempt(step, this.buffer)) continue;
      this.queue.shift();
      this.bytes -= step.bytes;
      this.tried = false;
    }
  }

  /** False: to be tried again, once there is room. */
  private attempt(step: Step, buffer: SourceBuffer): boolean {
    try {
      step.run(buffer);
      return true;
    } catch (error) {
      if (!isFull(error)) {
        this.broken(error);
        return true;
      }
      if (!this.tried && this.options.makeRoom(buffer)) {
        this.tried = true;
        return false;
      }
      this.queue.splice(1, 0, GAP);
      this.options.onDropped(1);
      return true;
    }
  }

  private readonly broken = (error: unknown): void => {
    if (this.ended) return;
    this.destroy();
    this.options.onBroken(error);
  };
}

function isFull(error: unknown): boolean {
  return error instanceof DOMException && error.name === 'QuotaExceededError';
}
