/** The real server, started for a while in a folder of its own. */

import { spawn, type ChildProcess } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const SECRET = 'canary-of-publishers';
/** A server that does not start or end within this, in milliseconds, never will. */
const PATIENCE = 60_000;

export class Served {
  private constructor(
    private readonly child: ChildProcess,
    readonly folder: string,
    /** `http://127.0.0.1:PORT`. */
    readonly base: string,
    private readonly rtmp: string,
  ) {}

  /** `settings`: further keys of its configuration. */
  static async start(binary: string, settings: readonly string[] = []): Promise<Served> {
    const folder = await mkdtemp(join(tmpdir(), 'ocelli-proof-'));
    const own = { 'media.frames': 'frames', 'media.uploads': 'uploads', 'store.path': 'store', 'archive.path': 'recordings', 'access.tokens': 'tokens.json' };
    const all = [
      ...Object.entries(own).map(([key, name]) => `${key}=${join(folder, name)}`),
      ...['server.listen=127.0.0.1:0', 'rtmp.listen=127.0.0.1:0', 'archive.reserve_bytes=1 MB', 'engine.backoff_min=50 ms', ...settings],
    ];
    // A process group of its own: Ctrl-C is ours to pass on, once.
    const child = spawn(binary, ['serve', ...all.flatMap((setting) => ['--set', setting])], { stdio: ['ignore', 'pipe', 'pipe'], env: environment(), detached: true });
    child.stderr.pipe(createWriteStream(join(folder, 'log')));
    try {
      const [base, rtmp] = await within(Promise.all([first(child, 'stdout', /(http:\/\/\S+)/), first(child, 'stderr', /RTMP publishers are taken.*?([\d.]+:\d+)/)]));
      return new Served(child, folder, base, rtmp);
    } catch (error) {
      child.kill('SIGKILL');
      throw new Error(`${binary} does not serve: ${await readFile(join(folder, 'log'), 'utf8')}`, { cause: error });
    }
  }

  /** A stream that is published to, recorded, and looked at by `models`. */
  async create(id: string, models: readonly object[]): Promise<void> {
    // Frames are the pictures that the models looked at, as files.
    const looks = models.length > 0 ? { fps: '5', frames: {}, models, gate: false } : {};
    await this.ask('POST', '/api/v1/streams', { id, source: { url: `publish:${id}` }, publish: { secret: SECRET }, record: {}, ...looks });
  }

  publishUrl(id: string): string {
    return `rtmp://${this.rtmp}/live/${id}?secret=${SECRET}`;
  }

  /** The end of what it logged. */
  async log(): Promise<string> {
    return (await readFile(join(this.folder, 'log'), 'utf8')).split('\n').slice(-30).join('\n');
  }

  async ask(method: string, path: string, body?: unknown): Promise<unknown> {
    const headers = body === undefined ? {} : { 'content-type': 'application/json' };
    const answer = await fetch(this.base + path, { method, headers, body: body === undefined ? null : JSON.stringify(body) });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
    return text === '' ? null : JSON.parse(text);
  }

  /** In order; true: it ended well. Its folder goes. */
  async stop(): Promise<boolean> {
    const ended = new Promise<boolean>((resolve) => this.child.once('exit', (code) => resolve(code === 0)));
    this.child.kill('SIGTERM');
    const timer = setTimeout(() => this.child.kill('SIGKILL'), PATIENCE);
    const well = this.child.exitCode === null ? await ended : this.child.exitCode === 0;
    clearTimeout(timer);
    await rm(this.folder, { recursive: true, force: true });
    return well;
  }
}

/** Without names that would put its folders elsewhere. */
function environment(): NodeJS.ProcessEnv {
  const foreign = (name: string): boolean => /^(OCELLI_(?!HOME$)|OUTPUT_FOLDER$|UPLOAD_FOLDER$|HW_ACCEL_OPTIONS$)/.test(name);
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !foreign(name)));
}

/** What `pattern` finds first in what is written. */
function first(child: ChildProcess, stream: 'stdout' | 'stderr', pattern: RegExp): Promise<string> {
  return new Promise((resolve, reject) => {
    createInterface({ input: child[stream]! }).on('line', (line) => {
      const [, found] = pattern.exec(line) ?? [];
      if (found) resolve(found);
    });
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`it ended with ${code}`)));
  });
}

function within<T>(work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => (timer = setTimeout(() => reject(new Error('it takes too long')), PATIENCE)));
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}
