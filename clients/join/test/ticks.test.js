import assert from 'node:assert/strict';
import { test } from 'node:test';

import { divideRounded, FormatError, parseExact, ticksAt, toTicks, toTimeBase } from '../dist/index.js';

/** What a browser reports for a picture: whole microseconds, both roundings downwards. */
const reported = (units, initial, timescale) =>
  (Number((units * 1_000_000n) / BigInt(timescale)) - Math.ceil((initial / timescale) * 1e6)) / 1e6;

test('the arithmetic gives back every PTS of a day at 90 kHz, odd steps included', () => {
  const initial = 90_126_000;
  for (let n = 0n; n < 200_000n; n++) {
    const pts = BigInt(initial) + n * 38_891n;
    assert.equal(ticksAt(reported(pts, initial, 90_000), initial, 90_000), pts);
  }
});

test('it holds around the wraps of 32 and 33 bits, and after 30 days', () => {
  const month = 30n * 86_400n * 90_000n;
  for (const around of [2n ** 32n, 2n ** 33n, month, 2n ** 33n + month]) {
    for (let n = -5_000n; n < 5_000n; n++) {
      assert.equal(ticksAt(reported(around + n, 0, 90_000), 0, 90_000), around + n);
      const far = Number(around) - 900_000;
      assert.equal(ticksAt(reported(around + n, far, 90_000), far, 90_000), around + n);
    }
  }
});

test('it holds for other timescales, and for ticks of more than one unit', () => {
  for (const [num, den] of [[1, 1000], [1, 12_800], [1, 48_000], [1, 180_000], [1001, 30_000], [1001, 24_000], [512, 15_360], [100, 2997]]) {
    for (let pts = 0n; pts < 20_000n; pts += 7n) {
      const units = pts * BigInt(num);
      assert.equal(ticksAt(reported(units, 0, den), 0, den, num), pts, `${pts} of ${num}/${den}`);
    }
  }
});

test('an initial PTS before zero, or between ticks, is no trouble', () => {
  assert.equal(ticksAt(1, -90_000, 90_000), 0n);
  assert.equal(ticksAt(0.5, -90_000, 90_000), -45_000n);
  assert.equal(ticksAt(2 - 0.25 / 90_000, 1_000.25, 90_000), 181_000n);
});

test('division rounds to the nearest, on both sides of zero', () => {
  const cases = [[7n, 2n, 4n], [-7n, 2n, -3n], [-8n, 3n, -3n], [-7n, 3n, -2n], [1n, 3n, 0n], [2n, 3n, 1n], [-1n, 3n, 0n], [-2n, 3n, -1n], [0n, 5n, 0n]];
  for (const [value, by, expected] of cases) assert.equal(divideRounded(value, by), expected, `${value} / ${by}`);
});

test('numbers that a double would change are read exactly, and nothing else is touched', () => {
  const text = '{"a":9223372036854775807,"b":[-9007199254740993,1.5e300,12],"c":"9223372036854775807","d":"\\"9007199254740993"}';
  assert.deepEqual(parseExact(text), {
    a: 2n ** 63n - 1n,
    b: [-9007199254740993n, 1.5e300, 12],
    c: '9223372036854775807',
    d: '"9007199254740993',
  });
  assert.equal(parseExact('9007199254740991'), 9007199254740991);
});

test('what is no JSON stays none, and takes linear time', () => {
  for (const text of ['', '{', '{"a":99999999999999999999', '"\\', '[12345678901234567 8]', '-', '1'.repeat(100) + 'x']) {
    assert.throws(() => parseExact(text), SyntaxError, text);
  }
  assert.throws(() => parseExact('["\\u0000ticks:5", 12345678901234567]'), FormatError);
  const quotes = '{"a":"' + '\\"'.repeat(1 << 20);
  const began = performance.now();
  assert.throws(() => parseExact(quotes), SyntaxError);
  assert.ok(performance.now() - began < 2_000);
});

test('ticks and time bases that are none are refused', () => {
  for (const value of [1.5, 2 ** 53, NaN, '5', null, undefined, 2n ** 63n, -(2n ** 63n) - 1n]) {
    assert.throws(() => toTicks(value), FormatError, String(value));
  }
  assert.equal(toTicks(-5), -5n);
  assert.equal(toTicks(2n ** 62n), 2n ** 62n);
  for (const value of [[0, 1], [1, 0], [1], [1, 2, 3], [1.5, 2], ['1', 2], null, [1, 2 ** 32]]) {
    assert.throws(() => toTimeBase(value), FormatError, JSON.stringify(value));
  }
  assert.deepEqual(toTimeBase([1001, 30_000]), [1001, 30_000]);
});
