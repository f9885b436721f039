/** The page and its modules, as files. */

import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Where they stand on whatever server is looked at. */
export const PAGES = '/join-demo/';

const DEMO = dirname(dirname(fileURLToPath(import.meta.url)));
const FOLDERS: Readonly<Record<string, string>> = {
  page: join(DEMO, 'page'),
  demo: join(DEMO, 'dist'),
  join: join(DEMO, '../join/dist'),
  player: join(DEMO, '../player/dist'),
  hls: dirname(createRequire(import.meta.url).resolve('hls.js')),
};
const TYPES: Readonly<Record<string, string>> = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript', '.mjs': 'text/javascript' };

/** Null where there is none, and for whatever is no plain name in one of the folders. */
export async function pageOf(path: string): Promise<{ type: string; body: Buffer } | null> {
  const [, folder, file] = /^\/join-demo\/(\w+)\/([\w.-]+)$/.exec(path === PAGES ? `${PAGES}page/index.html` : path) ?? [];
  const root = FOLDERS[folder ?? ''];
  const type = TYPES[extname(file ?? '')];
  if (!root || !file || !type) return null;
  try {
    return { type, body: await readFile(join(root, file)) };
  } catch {
    return null;
  }
}
