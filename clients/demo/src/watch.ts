/** The proof for people: `node dist/watch.js --server PATH [--port N]`, then a browser. Until Ctrl-C. */

import { createServer } from 'node:http';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import { PLAYERS } from './browser.js';
import { PAGES, pageOf } from './pages.js';
import { Publisher } from './publisher.js';
import { reelOf } from './reel.js';
import { Served } from './served.js';

const { values: given } = parseArgs({ options: { server: { type: 'string' }, port: { type: 'string', default: '8930' } } });
/** Then the publisher comes back, and a run begins. */
const SECONDS = 60;
const STREAM = 'street';

if (!given.server) throw new Error('--server PATH names the binary');
const origin = `http://127.0.0.1:${given.port}`;
const served = await Served.start(given.server, [`cors.origins=${origin}`]);
const link = (player: string): string => `${origin}${PAGES}page/index.html?edge&truth&player=${player}&stream=${STREAM}&base=${served.base}`;
const menu = `<!doctype html><title>Ocelli: the box is on its frame</title><ul>${PLAYERS.map((player) => `<li><a href="${link(player)}">${player}</a>`).join('')}</ul>`;
const pages = createServer((request, response) => {
  const { pathname } = new URL(request.url ?? '/', origin);
  const found = pathname === '/' ? Promise.resolve({ type: 'text/html; charset=utf-8', body: Buffer.from(menu) }) : pageOf(pathname);
  void found.then((page) => (page ? response.writeHead(200, { 'content-type': page.type }).end(page.body) : response.writeHead(404).end()));
});
let publisher: Publisher | null = null;
let over = false;

async function publish(): Promise<void> {
  const { file } = await reelOf({ run: 0, seconds: SECONDS, begin: 0, expression: 'N*40', bFrames: 2, sound: true }, join(served.folder, 'street.flv'));
  await served.create(STREAM, [{}]);
  console.log(`in a browser: ${origin}/`);
  while (!over) {
    publisher = new Publisher(file, served.publishUrl(STREAM));
    await publisher.done;
  }
}

async function stop(): Promise<void> {
  if (over) return;
  over = true;
  await publisher?.kill();
  pages.close();
  pages.closeAllConnections();
  await served.stop();
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => void stop());
pages.on('error', (error) => {
  console.error(String(error));
  process.exitCode = 1;
  void stop();
});
pages.listen(Number(given.port), '127.0.0.1', () => {
  publish().catch((error: unknown) => {
    console.error(String(error));
    process.exitCode = 1;
    void stop();
  });
});
