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
  append(data, { map = 'init-00.mp4?run=0', cc = 0, sn = 1, offset, type = 'video', parent = 'main' } = {}) {
    const initSegment = sn === 'initSegment' || map === null ? null : { relurl: map };
    this.tell('hlsBufferAppending', { type, parent, data, offset, frag: { sn, cc, initSegment } });
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

test('EXT-X-MAP names the run, the initial PTS places its media', () => {
  const { hls, join } = started();
  hls.append(fragment({ decode: 90_126_000, samples: [[3000, 0], [3000, 0]] }), { map: 'init-0a.mp4?run=4', offset: -90_126_000 / 90_000 });
  hls.append(fragment({ decode: 500, samples: [[3000, 0]] }), { map: 'init-0a.mp4?segment=9&run=6&expires=1', sn: 2, offset: (6000 - 500) / 90_000 });
  assert.deepEqual(named(join.at(0)), [4, 90_126_000n]);
  assert.deepEqual(named(join.at(1 / 30)), [4, 90_129_000n]);
  assert.deepEqual(named(join.at(2 / 30)), [6, 500n]);
});

test('another initialisation segment counts for what follows it', () => {
  const { hls, join } = started();
  hls.append(fragment({ decode: 90_000, samples: [[3000, 0]] }), { offset: 0 });
  hls.append(init([{ id: 1, timescale: 1000 }]), { sn: 'initSegment' });
  hls.append(fragment({ decode: 2000, samples: [[33, 0]] }), { map: 'init-01.mp4?run=1', cc: 1, offset: 0 });
  assert.deepEqual(named(join.at(1)), [0, 90_000n]);
  assert.equal(join.at(2).timescale, 1000);
});

test('tracks that change within a run leave it the same run', () => {
  const { hls, join } = started();
  hls.append(fragment({ decode: 90_000, samples: [[3000, 0]] }), { map: 'init-0a.mp4?run=3', cc: 7, offset: 0 });
  hls.append(init([{ id: 1, timescale: 90_000 }]), { sn: 'initSegment', cc: 8 });
  hls.append(fragment({ decode: 93_000, samples: [[3000, 0]] }), { map: 'init-0b.mp4?run=3', cc: 8, offset: 0 });
  assert.deepEqual(named(join.at(1)), [3, 90_000n]);
  assert.deepEqual(named(join.at(93 / 90)), [3, 93_000n]);
});

test('media of a run that nothing names is of none', () => {
  for (const map of [null, 'init-0a.mp4', 'init-0a.mp4?run=', 'init-0a.mp4?run=-1', 'init-0a.mp4?rerun=4', 'init-0a.mp4?run=4x']) {
    const { hls, join, errors } = started();
    hls.append(fragment({ decode: 0, samples: [[3000, 0]] }), { map, cc: 4, offset: 0 });
    assert.equal(errors.length, 1, String(map));
    assert.equal(join.timeline.size, 0);
  }
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
