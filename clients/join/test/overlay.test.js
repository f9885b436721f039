import assert from 'node:assert/strict';
import { test } from 'node:test';

import { FormatError, letterbox, Overlay, parseExact, place, readResult } from '../dist/index.js';

const box = (x) => ({ x, y: 0.1, width: 0.2, height: 0.3 });
const seen = (label, x, track) => ({ label, confidence: 0.9, box: box(x), ...(track === undefined ? {} : { track }) });
const result = (run, pts, detections, timeBase = [1, 90_000], model = 'm') => ({
  run,
  pts: BigInt(pts),
  timeBase,
  looks: new Map([[model, detections]]),
});
const frame = (run, units, timescale = 90_000) => ({ run, units: BigInt(units), timescale, mediaTime: 0 });
const near = (a, b) => assert.ok(Math.abs(a - b) < 1e-12, `${a} is not ${b}`);

test('boxes are those of exactly this run and PTS', () => {
  const overlay = new Overlay();
  overlay.put(result(1, 3000, [seen('a', 0)]));
  overlay.put(result(2, 3000, [seen('b', 0)]));
  assert.deepEqual(overlay.boxesOf(frame(1, 3000)).map((each) => each.label), ['a']);
  assert.deepEqual(overlay.boxesOf(frame(2, 3000)).map((each) => each.label), ['b']);
  assert.deepEqual(overlay.boxesOf(frame(1, 3001)), []);
  assert.deepEqual(overlay.boxesOf(frame(1, 2999)), []);
  assert.deepEqual(overlay.boxesOf(frame(3, 3000)), []);
  assert.deepEqual(overlay.boxesOf(frame(1, 3000, 1000)), []);
});

test('ticks of more than one unit, and PTS beyond 53 bits', () => {
  const overlay = new Overlay();
  overlay.put(result(0, 7, [seen('ntsc', 0)], [1001, 30_000]));
  assert.equal(overlay.boxesOf(frame(0, 7007, 30_000))[0].label, 'ntsc');
  overlay.put(result(0, 2n ** 62n, [seen('low', 0)]));
  overlay.put(result(0, 2n ** 62n + 1n, [seen('high', 0)]));
  assert.equal(overlay.boxesOf(frame(0, 2n ** 62n))[0].label, 'low');
  assert.equal(overlay.boxesOf(frame(0, 2n ** 62n + 1n))[0].label, 'high');
});

test('between two looks a track is interpolated, and says so', () => {
  const overlay = new Overlay();
  overlay.put(result(0, 0, [seen('car', 0.1, 7), seen('cat', 0.5), seen('gone', 0.2, 8)]));
  overlay.put(result(0, 9000, [seen('car', 0.4, 7), seen('cat', 0.5)]));
  const [car, ...others] = overlay.boxesOf(frame(0, 3000));
  assert.deepEqual(others, []);
  assert.equal(car.interpolated, true);
  near(car.box.x, 0.2);
  near(car.box.width, 0.2);
  assert.ok(overlay.boxesOf(frame(0, 9000)).every((each) => !each.interpolated));
  // Neither before the first nor after the last: that would be a guess.
  assert.deepEqual(overlay.boxesOf(frame(0, -1)), []);
  assert.deepEqual(overlay.boxesOf(frame(0, 9001)), []);
});

test('a look that saw nothing ends a track, and a long pause is not bridged', () => {
  const overlay = new Overlay({ interpolate: 1 });
  overlay.put(result(0, 0, [seen('car', 0, 7)]));
  overlay.put(result(0, 9000, []));
  overlay.put(result(0, 18_000, [seen('car', 0, 7)]));
  overlay.put(result(0, 18_000 + 90_001, [seen('car', 0, 7)]));
  assert.deepEqual(overlay.boxesOf(frame(0, 4500)), []);
  assert.deepEqual(overlay.boxesOf(frame(0, 9000)), []);
  assert.deepEqual(overlay.boxesOf(frame(0, 20_000)), []);
  const never = new Overlay({ interpolate: 0 });
  never.put(result(0, 0, [seen('car', 0, 7)]));
  never.put(result(0, 9000, [seen('car', 0, 7)]));
  assert.deepEqual(never.boxesOf(frame(0, 4500)), []);
});

test('results in any order, more models of one picture, and a correction', () => {
  const overlay = new Overlay();
  for (const pts of [9000, 0, 6000, 3000]) overlay.put(result(0, pts, [seen(`${pts}`, pts / 90_000, 1)]));
  near(overlay.boxesOf(frame(0, 4500))[0].box.x, 0.05);
  overlay.put(result(0, 3000, [seen('logo', 0)], [1, 90_000], 'other'));
  assert.deepEqual(overlay.boxesOf(frame(0, 3000)).map(({ model, label }) => [model, label]), [['m', '3000'], ['other', 'logo']]);
  overlay.put(result(0, 3000, [seen('better', 0)]));
  assert.deepEqual(overlay.boxesOf(frame(0, 3000)).map((each) => each.label), ['better', 'logo']);
  assert.equal(overlay.size, 4);
});

test('it is bounded: what came first goes first', () => {
  const overlay = new Overlay({ limit: 10 });
  for (let n = 0; n < 1000; n++) overlay.put(result(n % 3, n * 3000, [seen(`${n}`, 0)]));
  assert.equal(overlay.size, 10);
  for (let n = 985; n < 1000; n++) {
    assert.equal(overlay.resultOf(frame(n % 3, n * 3000)) !== null, n >= 990, `${n}`);
  }
});

test('a live message becomes a result', () => {
  const text = `{"type":"result","stream":"s","seq":1,"run":2,"run_id":9,"pts":9223372036854775807,"time_base":[1,90000],"seconds":1,
    "frame":null,"latency_ms":3,"looks":[
      {"model":"a","verdict":"analysed","width":640,"height":360,"detections":[
        {"label":"person","confidence":0.5,"box":{"x":0,"y":0.25,"width":0.5,"height":0.5},"box_px":{"x":0,"y":0,"width":1,"height":1},"track":3}]},
      {"model":"b","verdict":"dropped","reason":"late"}]}`;
  assert.deepEqual(readResult(parseExact(text)), {
    run: 2,
    pts: 2n ** 63n - 1n,
    timeBase: [1, 90_000],
    looks: new Map([['a', [{ label: 'person', confidence: 0.5, box: { x: 0, y: 0.25, width: 0.5, height: 0.5 }, track: 3 }]]]),
  });
  assert.equal(readResult({ type: 'status' }), null);
});

test('a message that is none is refused', () => {
  const good = { type: 'result', run: 0, pts: 0, time_base: [1, 1], looks: [] };
  assert.ok(readResult(good));
  const look = (detections) => ({ looks: [{ model: 'm', verdict: 'analysed', detections }] });
  const wrong = [{ run: -1 }, { run: 1.5 }, { pts: 2 ** 60 }, { time_base: null }, { looks: null }, { looks: [{}] }];
  const boxes = [look(null), look([{}]), look([{ label: 'a', confidence: 1 }]), look([{ label: 'a', confidence: 1, box: { x: NaN, y: 0, width: 0, height: 0 } }])];
  for (const each of [...wrong, ...boxes]) {
    assert.throws(() => readResult({ ...good, ...each }), FormatError, JSON.stringify(each));
  }
  for (const value of [null, 5, 'x', []]) assert.throws(() => readResult(value), FormatError);
});

test('fractions of the picture land on the picture, bars or not', () => {
  const wide = letterbox({ width: 1920, height: 1080 }, { width: 800, height: 800 });
  assert.deepEqual(wide, { x: 0, y: 175, width: 800, height: 450 });
  assert.deepEqual(letterbox({ width: 1080, height: 1920 }, { width: 960, height: 960 }), { x: 210, y: 0, width: 540, height: 960 });
  assert.deepEqual(letterbox({ width: 0, height: 0 }, { width: 8, height: 8 }), { x: 0, y: 0, width: 8, height: 8 });
  assert.deepEqual(place({ x: 0.5, y: 0.5, width: 0.25, height: 0.5 }, wide), { x: 400, y: 400, width: 200, height: 225 });
  // What sticks out is cut off at the picture's edge, not at the bars.
  assert.deepEqual(place({ x: -0.5, y: 0.5, width: 1, height: 1 }, wide), { x: 0, y: 400, width: 400, height: 225 });
});
