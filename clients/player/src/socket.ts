/** A WebSocket that comes back. */

export interface SocketOptions {
  readonly onText: (text: string) => void;
  readonly onBytes: (bytes: ArrayBuffer) => void;
  /** A connection begins: what was half received is void. */
  readonly onOpen: () => void;
  /** It ended; another is tried. */
  readonly onLost: () => void;
}

const FIRST_PAUSE = 0.25;
const LONGEST_PAUSE = 8;
/** A connection that held so long, in milliseconds, was no failure. */
const LONG = 10_000;

export class Socket {
  private socket: WebSocket | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private failures = 0;
  private opened: number | null = null;

  constructor(
    private readonly url: string,
    private readonly options: SocketOptions,
  ) {
    this.connect();
  }

  /** Gives the connection up and tries another. */
  again(): void {
    if (this.socket) this.lost(this.socket);
  }

  destroy(): void {
    clearTimeout(this.timer);
    this.drop();
  }

  private connect(): void {
    const socket = new WebSocket(this.url);
    this.socket = socket;
    socket.binaryType = 'arraybuffer';
    socket.onopen = () => {
      this.opened = performance.now();
      this.options.onOpen();
    };
    socket.onmessage = ({ data }: MessageEvent<string | ArrayBuffer>) => {
      if (typeof data === 'string') this.options.onText(data);
      else this.options.onBytes(data);
    };
    socket.onclose = () => this.lost(socket);
  }

  private lost(socket: WebSocket): void {
    if (this.socket !== socket) return;
    this.drop();
    if (this.opened !== null && performance.now() - this.opened > LONG) this.failures = 0;
    this.opened = null;
    const seconds = pause(this.failures, Math.random());
    this.failures += 1;
    this.timer = setTimeout(() => this.connect(), seconds * 1000);
    this.options.onLost();
  }

  private drop(): void {
    const socket = this.socket;
    this.socket = null;
    if (!socket) return;
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close();
  }
}

/** Seconds before the next try; doubles, and is spread so that a wall of players does not come back at once. */
export function pause(failures: number, random: number): number {
  return Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** failures) * (0.5 + random / 2);
}
