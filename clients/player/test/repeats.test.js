import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Repeats } from '../dist/repeats.js';

const part = (segment, firstPts, keyframe = false) => ({ segment: BigInt(segment), firstPts: BigInt(firstPts), keyframe });
const taken = (repeats, parts) => parts.filter((each) => repeats.isNew(each)).map(({ firstPts }) => Number(firstPts));

test('within a connection everything is new, also parts that go back in PTS', () => {
  assert.deepEqual(taken(new Repeats(), [part(1, 0, true), part(1, 8), part(1, 4), part(1, 6), part(2, 12, true)]), [0, 8, 4, 6, 12]);
});

test('after a reconnect, what was there is left out, up to the last', () => {
  const repeats = new Repeats();
  taken(repeats, [part(1, 0, true), part(1, 8), part(1, 4)]);
  repeats.again();
  assert.deepEqual(taken(repeats, [part(1, 0, true), part(1, 8), part(1, 4), part(1, 6), part(2, 12, true)]), [6, 12]);
});

test('a connection may begin farther back, or beyond what was there', () => {
  const repeats = new Repeats();
  taken(repeats, [part(3, 100, true), part(3, 120)]);
  repeats.again();
  assert.deepEqual(taken(repeats, [part(2, 50, true), part(3, 100, true), part(3, 120), part(3, 140)]), [140]);
  repeats.again();
  assert.deepEqual(taken(repeats, [part(5, 300, true), part(5, 320)]), [300, 320]);
  repeats.again();
  // A second keyframe in the same segment.
  assert.deepEqual(taken(repeats, [part(5, 340, true), part(5, 360)]), [340, 360]);
});

test('a connection that ends before it has caught up is followed by another', () => {
  const repeats = new Repeats();
  repeats.again();
  taken(repeats, [part(1, 0, true), part(1, 20), part(1, 40)]);
  repeats.again();
  assert.deepEqual(taken(repeats, [part(1, 0, true)]), []);
  repeats.again();
  assert.deepEqual(taken(repeats, [part(1, 0, true), part(1, 20), part(1, 40), part(1, 60)]), [60]);
});
