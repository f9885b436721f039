/** The demo for people: `node dist/serve.js [PORT]`, then a browser. */

import { Stand } from './server.js';

const stand = await Stand.listen(Number(process.argv[2] ?? 8930));
console.log(`${stand.base}/`);
