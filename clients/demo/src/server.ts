/** Stands in for the server until it plays back itself: the routes, the playlists and the messages of the real one. */

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

import { WebSocketServer, type WebSocket } from 'ws';

import { Broadcast, type AiredPart } from './broadcast.js';
import { CASES } from './cases.js';
import { clipOf, type Clip } from './clip.js';
import { PAGES, pageOf } from './pages.js';
import { has, playlistOf, segmentsOf } from './playlist.js';

const STREAM = /^\/api\/v1\/streams\/([\w.-]+)\/(hls\/([\w.-]+)|media|live)$/;
/** A stream is named by its case and by whom it is for, so that each player sees it from its beginning. */
const NAME = /^(\w+)-[\w-]+$/;

export class Stand {
  private readonly clips = new Map<string, Promise<Clip[]>>();
  private readonly broadcasts = new Map<string, Broadcast>();
  private readonly sockets = new WebSocketServer({ noServer: true });

  private constructor(private readonly server: Server) {
    server.on('request', (request, response) => {
      this.answer(request, response).catch((error: unknown) => response.writeHead(500).end(String(error)));
    });
    server.on('upgrade', (request, socket, head) => this.upgrade(request, socket as Socket, head));
  }

  static async listen(port = 0): Promise<Stand> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
    return new Stand(server);
  }

  get base(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** Makes the pictures beforehand: coding them must not slow what is measured. */
  async prepare(name: string): Promise<void> {
    await this.clipsOf(name);
  }

  close(): void {
    for (const broadcast of this.broadcasts.values()) broadcast.stop();
    for (const socket of this.sockets.clients) socket.terminate();
    this.server.close();
    this.server.closeAllConnections();
  }

  private clipsOf(name: string): Promise<Clip[]> {
    const plan = CASES.find((each) => each.name === name);
    if (!plan) throw new Error(`no case ${name}`);
    const clips = this.clips.get(name) ?? Promise.all(plan.runs.map(clipOf));
    this.clips.set(name, clips);
    return clips;
  }

  /** Begins with the first that asks. */
  private async broadcastOf(stream: string): Promise<Broadcast> {
    const plan = CASES.find((each) => each.name === NAME.exec(stream)?.[1]);
    if (!plan) throw new Error(`no stream ${stream}`);
    const clips = await this.clipsOf(plan.name);
    const broadcast = this.broadcasts.get(stream) ?? new Broadcast(plan, clips);
    this.broadcasts.set(stream, broadcast);
    return broadcast;
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', this.base);
    const [, stream, , file] = STREAM.exec(url.pathname) ?? [];
    if (stream && file) return this.media(await this.broadcastOf(stream), file, url, response);
    if (url.pathname === '/') return void response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end(menu());
    const page = url.pathname.startsWith(PAGES) ? await pageOf(url.pathname) : null;
    if (!page) return void response.writeHead(404).end();
    response.writeHead(200, { 'content-type': page.type }).end(page.body);
  }

  private async media(broadcast: Broadcast, file: string, url: URL, response: ServerResponse): Promise<void> {
    if (file === 'live.m3u8') {
      const [segment, part] = [url.searchParams.get('_HLS_msn'), url.searchParams.get('_HLS_part')];
      await until(broadcast, Number(segment ?? 0), segment === null || part === null ? (segment ? null : 0) : Number(part));
      response.writeHead(200, { 'content-type': 'application/vnd.apple.mpegurl', 'cache-control': 'no-cache' }).end(playlistOf(broadcast));
      return;
    }
    const bytes = bytesOf(broadcast, file);
    if (!bytes) return void response.writeHead(404).end();
    response.writeHead(200, { 'content-type': 'video/mp4' }).end(bytes);
  }

  private upgrade(request: IncomingMessage, socket: Socket, head: Buffer): void {
    const [, stream, kind] = STREAM.exec(new URL(request.url ?? '/', this.base).pathname) ?? [];
    if (!stream || (kind !== 'media' && kind !== 'live')) return void socket.destroy();
    this.sockets.handleUpgrade(request, socket, head, (client) => {
      this.broadcastOf(stream)
        .then((broadcast) => (kind === 'media' ? sendMedia : sendResults)(broadcast, client))
        .catch(() => client.terminate());
    });
  }
}

/** Each look at the menu leads to streams that begin anew. */
function menu(): string {
  const fresh = Date.now().toString(36);
  const link = (name: string, player: string): string =>
    `<a href="${PAGES}page/index.html?player=${player}&stream=${name}-${player}-${fresh}">${player}</a>`;
  const rows = CASES.map(({ name, socketOnly }) => `<li>${name}: ${socketOnly ? '' : link(name, 'hls')} ${link(name, 'socket')}</li>`);
  return `<!doctype html><title>Ocelli: the join</title><ul>${rows.join('')}</ul>`;
}

/** Waits until the playlist has what was asked for. */
function until(broadcast: Broadcast, segment: number, part: number | null): Promise<void> {
  return new Promise((resolve) => {
    const look = (): void => {
      if (!has(broadcast, segment, part)) return;
      broadcast.off('part', look).off('end', look);
      resolve();
    };
    broadcast.on('part', look).on('end', look);
    look();
  });
}

function bytesOf(broadcast: Broadcast, file: string): Buffer | null {
  const [, kind, first, second] = /^(init|segment|part)-(\d+)(?:-(\d+))?\.(?:mp4|m4s)$/.exec(file) ?? [];
  if (kind === 'init') return broadcast.aired.find(({ clip }) => clip.plan.run === Number(first))?.clip.init ?? null;
  const segment = segmentsOf(broadcast).find(({ number }) => number === Number(first));
  if (!segment) return null;
  if (kind === 'part') return segment.parts[Number(second)]?.part.bytes ?? null;
  return segment.whole ? Buffer.concat(segment.parts.map(({ part }) => part.bytes)) : null;
}

function sendResults(broadcast: Broadcast, client: WebSocket): void {
  const send = (message: unknown): void => client.send(JSON.stringify(message));
  broadcast.on('result', send);
  client.on('close', () => broadcast.off('result', send));
}

/** From the newest keyframe on. */
function sendMedia(broadcast: Broadcast, client: WebSocket): void {
  let run: number | null = null;
  let missing = 0;
  let damaged = false;
  const send = (aired: AiredPart): void => {
    const { clip, part } = aired;
    if (missing > 0 && !part.keyframe) {
      missing += 1;
      return;
    }
    if (missing > 0) client.send(JSON.stringify({ type: 'missed', parts: missing }));
    const begins = clip.plan.run !== run;
    if (begins) sendInit(client, clip, part.firstPts);
    run = clip.plan.run;
    const media = damaged ? Buffer.alloc(part.bytes.length, 0xff) : part.bytes;
    client.send(Buffer.concat([header(aired, begins || missing > 0), media]));
    missing = 0;
    damaged = false;
  };
  const cut = (): void => client.terminate();
  const miss = (): void => void (missing = 1);
  const damage = (): void => void (damaged = true);
  const end = (): void => client.send(JSON.stringify({ type: 'ended' }));
  broadcast.on('part', send).on('cut', cut).on('miss', miss).on('damage', damage).on('end', end);
  client.on('close', () => broadcast.off('part', send).off('cut', cut).off('miss', miss).off('damage', damage).off('end', end));
  broadcast.aired.slice(broadcast.aired.findLastIndex(({ part }) => part.keyframe)).forEach(send);
}

function sendInit(client: WebSocket, { plan, init, codecs }: Clip, basePts: bigint): void {
  const [, den] = plan.timeBase;
  const message = { type: 'init', run: plan.run, time_base: plan.timeBase, timescale: den, codecs, width: 640, height: 360 };
  client.send(JSON.stringify({ ...message, base_pts: Number(basePts) }));
  client.send(init);
}

function header({ clip, part, segment }: AiredPart, discontinuity: boolean): Buffer {
  const bytes = Buffer.alloc(24);
  bytes.writeUInt8(1, 0);
  bytes.writeUInt8((part.keyframe ? 1 : 0) | (discontinuity ? 2 : 0), 1);
  bytes.writeUInt32BE(clip.plan.run, 4);
  bytes.writeBigUInt64BE(BigInt(segment), 8);
  bytes.writeBigInt64BE(part.firstPts, 16);
  return bytes;
}
