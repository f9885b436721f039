import assert from 'node:assert/strict';
import { test } from 'node:test';

import { move, PACE, paced, pause, Placements, trim } from '../dist/index.js';

/** Numbers that are easy to follow. */
const LIVE = { ...PACE, behind: 0.4 };
const init = (run, basePts, [num, den] = [1, 90_000]) => ({ run, basePts, timeBase: [num, den], timescale: den });

test('live: near the edge nothing happens, far from it a jump', () => {
  assert.deepEqual(move(9.6, [[0, 10]], true, false, LIVE), { to: null, rate: 1, filling: false });
  assert.deepEqual(move(9.2, [[0, 10]], true, false, LIVE), { to: null, rate: 1.06, filling: false });
  assert.deepEqual(move(8.9, [[0, 10]], true, false, LIVE), { to: 9.6, rate: 1, filling: false });
  assert.deepEqual(move(0, [], true, true, LIVE), { to: null, rate: 0, filling: true });
});

test('live: how late it is shows when a part has just come; until the next one the rate stays', () => {
  assert.equal(move(9.5, [[0, 10]], true, false, LIVE).rate, 1.06);
  assert.equal(move(9.58, [[0, 10]], true, false, LIVE).rate, 1);
  for (const now of [9.2, 9.5, 9.9]) assert.equal(move(now, [[0, 10]], true, false, LIVE, false).rate, null);
  // But it begins, stands and jumps at any time.
  assert.equal(move(9.6, [[0, 10]], true, true, LIVE, false).rate, 1);
  assert.equal(move(9.99, [[0, 10]], true, false, LIVE, false).rate, 0);
  assert.equal(move(8.9, [[0, 10]], true, false, LIVE, false).to, 9.6);
});

test('live: it stands until there is enough, at the beginning and when it has run dry', () => {
  assert.deepEqual(move(0, [[0, 0.2]], true, true, LIVE), { to: null, rate: 0, filling: true });
  assert.deepEqual(move(0, [[0, 0.4]], true, true, LIVE), { to: null, rate: 1, filling: false });
  assert.deepEqual(move(0.3, [[0, 0.4]], true, false, LIVE), { to: null, rate: 1, filling: false });
  assert.deepEqual(move(0.38, [[0, 0.4]], true, false, LIVE), { to: null, rate: 0, filling: true });
  assert.deepEqual(move(0.38, [[0, 0.6]], true, true, LIVE), { to: null, rate: 0, filling: true });
  assert.deepEqual(move(0.38, [[0, 0.8]], true, true, LIVE), { to: null, rate: 1, filling: false });
});

test('live: it starts where the media starts, and crosses gaps', () => {
  assert.deepEqual(move(0, [[100, 100.2]], true, true, LIVE), { to: 100, rate: 0, filling: true });
  assert.deepEqual(move(5, [[0, 5], [600, 601]], true, true, LIVE), { to: 600.6, rate: 1, filling: false });
  assert.deepEqual(move(5, [[0, 5], [5.4, 5.6]], true, true, LIVE), { to: 5.4, rate: 0, filling: true });
  // At the very end it waits for the next part.
  assert.equal(move(5, [[0, 5]], true, false, LIVE).to, null);
});

test('what is past is played on, over gaps, at the rate of the viewer', () => {
  assert.deepEqual(move(2, [[0, 100]], false, true, LIVE), { to: null, rate: null, filling: false });
  assert.equal(move(4.99, [[0, 5], [7, 9]], false, false, LIVE).to, 7);
  assert.equal(move(0, [[7, 9]], false, false, LIVE).to, 7);
  assert.equal(move(8.99, [[7, 9]], false, false, LIVE).to, null);
});

test('long parts are given more room, so that each does not lead to a jump', () => {
  assert.deepEqual(paced(LIVE, 0.2), LIVE);
  const slow = paced(LIVE, 2);
  assert.deepEqual([slow.behind, slow.limit], [3, 6]);
  // Just before and just after such a part.
  for (const late of [1.1, 3.1]) assert.equal(move(100 - late, [[0, 100]], true, false, slow).to, null);
});

test('what was played is forgotten, not at each step, and no pause holds all of it', () => {
  assert.equal(trim(15, [[0, 16]], LIVE), null);
  assert.equal(trim(20.5, [[0, 21]], LIVE), null);
  assert.equal(trim(25, [[0, 26]], LIVE), 5);
  assert.equal(trim(0, [[0, 79]], LIVE), null);
  assert.equal(trim(0, [[0, 90]], LIVE), 10);
  assert.equal(trim(0, [], LIVE), null);
});

test('the first run begins at 0, another where the media ends, a known one stays', () => {
  const placements = new Placements();
  const first = placements.place(init(2, 90_126_000n), null);
  assert.equal(first.offset, -90_126_000 / 90_000);
  const next = placements.place(init(3, 500n, [1001, 30_000]), 12.3456);
  assert.equal(next.offset, 12.346 - (500 * 1001) / 30_000);
  assert.equal(placements.place(init(2, 99_999_999n), 20), first);
  assert.equal(placements.place(init(3, 0n, [1001, 30_000]), 99), next);
  // The same ordinal in other units is another clock.
  assert.equal(placements.place(init(3, 0n, [1, 1000]), 30).offset, 30);
  placements.clear();
  assert.equal(placements.place(init(3, 0n), null).offset, 0);
});

test('a base of 63 bits in nanoseconds keeps its microseconds', () => {
  const base = 1_764_428_400_123_456_789n;
  const { offset } = new Placements().place(init(0, base, [1, 1_000_000_000]), null);
  assert.ok(Math.abs(offset + 1_764_428_400.123456789) < 1e-6);
});

test('pauses between tries double, are spread, and end at eight seconds', () => {
  assert.equal(pause(0, 1), 0.25);
  assert.equal(pause(2, 1), 1);
  assert.equal(pause(2, 0), 0.5);
  assert.equal(pause(1000, 1), 8);
});
