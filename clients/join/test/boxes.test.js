import assert from 'node:assert/strict';
import { test } from 'node:test';

import { FormatError, MAX_SAMPLES, readInit, readSamples } from '../dist/index.js';
import { box, fragment, init, u64 } from './mp4.js';

const VIDEO = { id: 1, timescale: 90_000, defaultDuration: 0 };
const units = (samples) => samples.map((sample) => sample.units);

test('the video of an initialisation segment is found beside sound, in both versions', () => {
  for (const version of [0, 1]) {
    const bytes = init(
      [
        { id: 2, timescale: 48_000, handler: 'soun', version },
        { id: 1, timescale: 12_800, version },
      ],
      [{ id: 2, duration: 1024 }, { id: 1, duration: 512 }],
    );
    assert.deepEqual(readInit(bytes), { id: 1, timescale: 12_800, defaultDuration: 512 });
  }
  assert.equal(readInit(init([{ id: 2, timescale: 48_000, handler: 'soun' }])), null);
  assert.equal(readInit(fragment({ decode: 0, samples: [[1, 0]] })), null);
});

test('composition offsets of either sign, in decode order', () => {
  const samples = [[3000, 3000], [3000, 9000], [3000, -3000 + 6000], [3000, -6000]];
  const read = readSamples(fragment({ decode: 90_126_000, samples }), VIDEO);
  assert.deepEqual(units(read), [90_129_000n, 90_138_000n, 90_135_000n, 90_129_000n]);
  assert.deepEqual(read[0], { units: 90_129_000n, duration: 3000 });
});

test('PTS before zero, and decode times of 64 bits', () => {
  assert.deepEqual(units(readSamples(fragment({ decode: 0, samples: [[10, -25]] }), VIDEO)), [-25n]);
  assert.deepEqual(units(readSamples(fragment({ decode: 2n ** 62n + 1n, samples: [[10, 1]] }), VIDEO)), [2n ** 62n + 2n]);
  assert.deepEqual(units(readSamples(fragment({ decode: 2n ** 64n - 6000n, samples: [[10, 6000]] }), VIDEO)), [0n]);
  // Version 0 of a trun has no negative offsets.
  assert.deepEqual(units(readSamples(fragment({ decode: 0, samples: [[10, 2 ** 32 - 1]], version: 0 }), VIDEO)), [2n ** 32n - 1n]);
});

test('several parts in one piece, and tracks that are not asked for', () => {
  const piece = Buffer.concat([
    fragment({ decode: 0, samples: [[10, 0]] }),
    fragment({ id: 2, decode: 7, samples: [[1024, 0]] }),
    fragment({ decode: 10, samples: [[10, 0], [10, 0]] }),
  ]);
  assert.deepEqual(units(readSamples(piece, VIDEO)), [0n, 10n, 20n]);
});

test('durations come from the sample, else the fragment, else the track', () => {
  const trun = (flags, ...rows) => box('trun', flags, 2, ...rows);
  const moof = (tfhd, run) => box('moof', box('traf', tfhd, box('tfdt', 0, 100), run));
  const track = { ...VIDEO, defaultDuration: 5 };
  assert.deepEqual(units(readSamples(moof(box('tfhd', 0, 1), trun(0)), track)), [100n, 105n]);
  // With a base data offset and a description index before the default duration.
  const full = box('tfhd', 0x0b, 1, u64(0), 1, 7);
  assert.deepEqual(units(readSamples(moof(full, trun(0x5, 0, 0)), track)), [100n, 107n]);
  assert.deepEqual(units(readSamples(moof(full, trun(0x100, 9, 9)), track)), [100n, 109n]);
});

test('a view into a larger buffer is read from its own beginning', () => {
  const bytes = fragment({ decode: 5, samples: [[1, 0]] });
  const inside = new Uint8Array(Buffer.concat([Buffer.alloc(13), bytes])).subarray(13);
  assert.deepEqual(units(readSamples(inside, VIDEO)), [5n]);
});

test('what is damaged is refused by name, and costs no memory', () => {
  const endless = box('moof', box('traf', box('tfhd', 0, 1), box('tfdt', 0, 0), box('trun', 0, 2 ** 32 - 1)));
  assert.throws(() => readSamples(endless, VIDEO), new RegExp(`${MAX_SAMPLES} pictures`));
  const short = box('moof', box('traf', box('tfhd', 0, 1), box('tfdt', 0, 0), box('trun', 0x100, 5)));
  assert.throws(() => readSamples(short, VIDEO), FormatError);
  assert.throws(() => readSamples(box('moof', box('traf', box('tfhd', 0, 1))), VIDEO), /decode time/);
  assert.throws(() => readInit(init([{ id: 1, timescale: 0 }])), /timescale/);
  assert.throws(() => readSamples(Buffer.from('00000004' + '6d6f6f66', 'hex'), VIDEO), /box moof of 4/);
});

test('no change of a byte, and no cut, leads to anything but an answer or a FormatError', () => {
  const bytes = Buffer.concat([init([{ id: 1, timescale: 90_000 }]), fragment({ decode: 9, samples: [[10, 0], [10, -4]] })]);
  let refused = 0;
  const attempt = (changed) => {
    try {
      readSamples(changed, readInit(changed) ?? VIDEO);
    } catch (error) {
      assert.ok(error instanceof FormatError, String(error));
      refused += 1;
    }
  };
  for (let at = 0; at < bytes.length; at++) {
    attempt(bytes.subarray(0, at));
    for (const value of [0, 1, 0x7f, 0xff]) {
      const changed = Buffer.from(bytes);
      changed[at] = value;
      attempt(changed);
    }
  }
  assert.ok(refused > bytes.length / 2);
});
