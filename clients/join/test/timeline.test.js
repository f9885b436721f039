import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Timeline } from '../dist/index.js';

const place = (run, offset, timescale = 90_000) => ({ run, timescale, offset });
const steps = (from, count, step = 3000) =>
  Array.from({ length: count }, (_unused, n) => ({ units: BigInt(from) + BigInt(n * step), duration: step }));
/** As a browser tells it: microseconds, rounded twice downwards. */
const reported = (units, { timescale, offset }) =>
  (Number((BigInt(units) * 1_000_000n) / BigInt(timescale)) + Math.floor(offset * 1e6)) / 1e6;
const found = (frame) => frame && [frame.run, frame.units];

test('each picture is found by what a browser reports, far from zero and after 30 days', () => {
  for (const base of [0, 90_126_000, 2 ** 33 - 1500, 30 * 86_400 * 90_000, 2 ** 52]) {
    const timeline = new Timeline();
    const placement = place(0, -base / 90_000);
    const samples = steps(base, 500, 3003);
    timeline.add(placement, samples);
    for (const { units } of samples) {
      assert.deepEqual(found(timeline.at(reported(units, placement))), [0, units]);
      assert.deepEqual(found(timeline.shownAt(Number(units - BigInt(base)) / 90_000 + 0.01)), [0, units]);
    }
  }
});

test('after 30 days of media time without an offset', () => {
  const timeline = new Timeline();
  const samples = steps(30 * 86_400 * 90_000 + 1, 1000, 1501);
  timeline.add(place(0, 0), samples);
  for (const { units } of samples) assert.equal(timeline.at(reported(units, place(0, 0)))?.units, units);
});

test('ticks far shorter than a microsecond, at nanoseconds since 1970', () => {
  const base = 1_764_428_400_000_000_001n;
  const timeline = new Timeline();
  const placement = place(0, -1_764_428_400, 1_000_000_000);
  const samples = Array.from({ length: 300 }, (_unused, n) => ({ units: base + BigInt(n) * 33_366_667n, duration: 33_366_667 }));
  timeline.add(placement, samples);
  for (const { units } of samples) {
    const mediaTime = Number((units - 1_764_428_400_000_000_000n) / 1000n) / 1e6;
    assert.equal(timeline.at(mediaTime)?.units, units);
  }
});

test('a time at which no picture begins is none, rather than the next best', () => {
  const timeline = new Timeline();
  timeline.add(place(0, 0), steps(0, 10));
  assert.equal(timeline.at(0.015), null);
  assert.equal(timeline.at(-1), null);
  assert.equal(timeline.at(10), null);
  assert.equal(timeline.shownAt(-0.01), null);
  assert.equal(new Timeline().at(0), null);
});

test('pictures a millisecond apart are told apart', () => {
  const timeline = new Timeline();
  timeline.add(place(0, 0, 1000), steps(0, 1000, 1));
  for (let n = 0; n < 1000; n++) assert.equal(timeline.at(n / 1000 - 2e-6)?.units, BigInt(n));
});

test('B-frames of the next part stand between pictures of this one', () => {
  const timeline = new Timeline();
  timeline.add(place(0, 0), [0, 12000, 6000, 3000].map((units) => ({ units: BigInt(units), duration: 3000 })));
  timeline.add(place(0, 0), [9000, 24000, 18000, 15000].map((units) => ({ units: BigInt(units), duration: 3000 })));
  for (const units of [0, 3000, 6000, 9000, 12000, 15000, 18000, 24000]) {
    assert.equal(timeline.at(units / 90_000)?.units, BigInt(units));
  }
  assert.equal(timeline.size, 8);
});

test('media that comes again is not held twice', () => {
  const timeline = new Timeline();
  for (let turn = 0; turn < 3; turn++) timeline.add(place(0, turn * 1e-6), steps(0, 60));
  assert.equal(timeline.size, 60);
});

test('a new run covers what lies under it, and only that', () => {
  const timeline = new Timeline();
  timeline.add(place(3, 0), steps(0, 60));
  // Its clock began elsewhere; it is put over the second half, at the very same media times.
  timeline.add(place(4, 1 - 1_000_000 / 90_000), steps(1_000_000, 15));
  assert.deepEqual(found(timeline.at(29 / 30)), [3, 87_000n]);
  assert.deepEqual(found(timeline.at(1)), [4, 1_000_000n]);
  assert.deepEqual(found(timeline.at(1 + 14 / 30)), [4, 1_042_000n]);
  assert.deepEqual(found(timeline.at(1.5)), [3, 135_000n]);
  assert.equal(timeline.size, 60);
});

test('the same run placed anew, as hls.js does after a seek, is another placement', () => {
  const timeline = new Timeline();
  timeline.add(place(0, 0), steps(0, 30));
  timeline.add(place(0, -1 / 30), steps(3000, 30));
  assert.equal(timeline.at(0)?.units, 3000n);
  assert.equal(timeline.at(10 / 30)?.units, 33_000n);
  assert.equal(timeline.size, 30);
});

test('it is bounded; the newest media stays, wherever it was put', () => {
  const timeline = new Timeline(100);
  timeline.add(place(0, 0), steps(0, 90));
  timeline.add(place(0, 0), steps(90 * 3000, 90));
  assert.equal(timeline.size, 100);
  assert.equal(timeline.at(179 / 30)?.units, 537_000n);
  assert.equal(timeline.at(0), null);
  timeline.add(place(0, 0), steps(0, 60));
  assert.equal(timeline.size, 100);
  assert.equal(timeline.at(0)?.units, 0n);
  timeline.forgetBefore(1);
  assert.equal(timeline.at(0.9), null);
  timeline.clear();
  assert.equal(timeline.last, null);
});
