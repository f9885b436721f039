/** The first run of a case as a file, for a server to play: `node dist/film.js CASE FILE`. */

import { writeFile } from 'node:fs/promises';

import { CASES } from './cases.js';
import { clipOf } from './clip.js';

const [name, file] = process.argv.slice(2);
const run = CASES.find((each) => each.name === name)?.runs[0];
if (!run || !file) throw new Error(`give a case (${CASES.map((each) => each.name).join(', ')}) and a file`);
const { init, parts } = await clipOf(run);
await writeFile(file, Buffer.concat([init, ...parts.map((part) => part.bytes)]));
