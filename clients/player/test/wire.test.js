import assert from 'node:assert/strict';
import { test } from 'node:test';

import { FormatError } from '@ocelli/join';

import { readMessage, readPart } from '../dist/index.js';

const INIT = { type: 'init', run: 3, time_base: [1001, 30_000], timescale: 30_000, codecs: 'avc1.64001f,mp4a.40.2', width: 640, height: 360, base_pts: -5 };

test('text messages', () => {
  assert.deepEqual(readMessage(JSON.stringify(INIT)), {
    type: 'init',
    run: 3,
    timeBase: [1001, 30_000],
    timescale: 30_000,
    codecs: 'avc1.64001f,mp4a.40.2',
    width: 640,
    height: 360,
    basePts: -5n,
  });
  const far = JSON.stringify(INIT).replace('-5', '9007199254740993');
  assert.equal(readMessage(far).basePts, 9007199254740993n);
  assert.deepEqual(readMessage('{"type":"missed","parts":4}'), { type: 'missed', parts: 4 });
  assert.deepEqual(readMessage('{"type":"paused","reason":"no room"}'), { type: 'paused', reason: 'no room' });
  assert.deepEqual(readMessage('{"type":"ended"}'), { type: 'ended' });
  assert.equal(readMessage('{"type":"of tomorrow"}'), null);
  assert.equal(readMessage('null'), null);
});

test('text that is wrong is refused', () => {
  const wrong = [{ run: -1 }, { run: undefined }, { time_base: [0, 1] }, { timescale: 90_000 }, { codecs: 'a"b' }, { codecs: '' }, { base_pts: 1.5 }, { width: 'x' }];
  for (const each of wrong) assert.throws(() => readMessage(JSON.stringify({ ...INIT, ...each })), FormatError, JSON.stringify(each));
  assert.throws(() => readMessage('{"type":"missed"}'), FormatError);
  assert.throws(() => readMessage('{'), SyntaxError);
});

test('a part, field by field', () => {
  const bytes = Buffer.from('01' + '03' + '0000' + '80000001' + '0000000000000102' + 'fffffffffffffff6' + 'cafe', 'hex');
  const part = readPart(new Uint8Array(bytes).buffer);
  const { media, ...rest } = part;
  assert.deepEqual(rest, { keyframe: true, discontinuity: true, run: 0x80000001, segment: 0x102n, firstPts: -10n });
  assert.deepEqual([...media], [0xca, 0xfe]);
  const plain = new Uint8Array(bytes);
  plain[1] = 0;
  const { keyframe, discontinuity } = readPart(plain.buffer);
  assert.deepEqual([keyframe, discontinuity], [false, false]);
});

test('a part that is none', () => {
  for (const length of [0, 1, 23, 24]) assert.throws(() => readPart(new Uint8Array(length).fill(1).buffer), FormatError, `${length}`);
  const later = new Uint8Array(30);
  later[0] = 2;
  assert.throws(() => readPart(later.buffer), /version 2/);
});
