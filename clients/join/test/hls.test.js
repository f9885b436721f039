import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { test } from 'node:test';

import { HlsJoin } from '../dist/index.js';
import { fragment, init } from './mp4.js';

/** hls.js calls its listeners with the event's name first. */
class Events extends EventEmitter {
  tell(event, payload) {
    this.emit(event, event, payload);
  }
  append(data, { cc = 0, sn = 1, offset, type = 'video', parent = 'main' } = {}) {
    this.tell('hlsBufferAppending', { type, parent, data, offset, frag: { sn, cc } });
  }
}

const started = (timescale = 90_000) => {
  const hls = new Events();
  const errors = [];
  const join = new HlsJoin(hls, { onError: (error) => errors.push(error) });
  hls.append(init([{ id: 1, timescale }]), { sn: 'initSegment' });
  return { hls, join, errors };
};
const named = (frame) => frame && [frame.run, frame.units];

test('the discontinuity counter names the run, the initial PTS places its media', () => {
  const { hls, join } = started();
  hls.append(fragment({ decode: 90_126_000, samples: [[3000, 0], [3000, 0]] }), { cc: 4, offset: -90_126_000 / 90_000 });
  hls.append(fragment({ decode: 500, samples: [[3000, 0]] }), { cc: 6, sn: 2, offset: (6000 - 500) / 90_000 });
  assert.deepEqual(named(join.at(0)), [4, 90_126_000n]);
  assert.deepEqual(named(join.at(1 / 30)), [4, 90_129_000n]);
  assert.deepEqual(named(join.at(2 / 30)), [6, 500n]);
});

test('another initialisation segment counts for what follows it', () => {
  const { hls, join } = started();
  hls.append(fragment({ decode: 90_000, samples: [[3000, 0]] }), { offset: 0 });
  hls.append(init([{ id: 1, timescale: 1000 }]), { sn: 'initSegment' });
  hls.append(fragment({ decode: 2000, samples: [[33, 0]] }), { cc: 1, offset: 0 });
  assert.deepEqual(named(join.at(1)), [0, 90_000n]);
  assert.equal(join.at(2).timescale, 1000);
});

test('sound and other playlists are left alone', () => {
  const { hls, join } = started();
  hls.append(fragment({ decode: 0, samples: [[3000, 0]] }), { type: 'audio' });
  hls.append(fragment({ decode: 0, samples: [[3000, 0]] }), { parent: 'audio' });
  assert.equal(join.timeline.size, 0);
});

test('damaged media is told, and what follows is found', () => {
  const { hls, join, errors } = started();
  hls.append(fragment({ decode: 0, samples: [[3000, 0]] }).subarray(0, 40));
  assert.equal(errors.length, 1);
  hls.append(fragment({ decode: 0, samples: [[3000, 0]] }));
  assert.equal(join.timeline.size, 1);
});

test('another playlist begins anew; after the end nothing is heard', () => {
  const { hls, join } = started();
  hls.append(fragment({ decode: 0, samples: [[3000, 0]] }));
  hls.tell('hlsManifestLoading', {});
  assert.equal(join.at(0), null);
  join.destroy();
  assert.equal(hls.listenerCount('hlsBufferAppending') + hls.listenerCount('hlsManifestLoading'), 0);
});
