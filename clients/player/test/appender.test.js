import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Appender } from '../dist/appender.js';

/** A `SourceBuffer` as the browser's behaves: busy until told, and full when told. */
class Buffer extends EventTarget {
  updating = false;
  full = false;
  log = [];
  appendBuffer(name) {
    assert.ok(!this.updating);
    if (this.full) throw new DOMException('full', 'QuotaExceededError');
    this.log.push(name);
    this.updating = true;
  }
  abort() {
    assert.ok(!this.updating);
    this.log.push('abort');
  }
  remove() {
    this.log.push('remove');
    this.updating = true;
  }
  done() {
    this.updating = false;
    this.dispatchEvent(new Event('updateend'));
  }
}

const start = (options = {}) => {
  const buffer = new Buffer();
  const told = { dropped: 0, broken: [] };
  const appender = new Appender({
    maxSteps: 4,
    maxBytes: 1000,
    makeRoom: () => false,
    onDropped: (parts) => (told.dropped += parts),
    onDone: () => {},
    onBroken: (error) => told.broken.push(error),
    ...options,
  });
  return { buffer, told, appender };
};
const step = (name, keyframe = false, bytes = 10) => ({ bytes, keyframe, run: (buffer) => buffer.appendBuffer(name) });

test('steps wait for the buffer, and for each other', () => {
  const { buffer, appender } = start();
  appender.push(step('a'));
  appender.push(step('b'));
  assert.deepEqual(buffer.log, []);
  appender.attach(buffer);
  assert.deepEqual(buffer.log, ['a']);
  buffer.done();
  buffer.done();
  assert.deepEqual(buffer.log, ['a', 'b']);
});

test('a queue that is too long is cut at its newest keyframe; what is no media stays', () => {
  const { buffer, told, appender } = start();
  appender.push(step('a'));
  appender.push(step('init', false, 0));
  appender.push(step('b'));
  appender.push(step('key', true));
  appender.push(step('c'));
  appender.attach(buffer);
  for (let n = 0; n < 5; n++) buffer.done();
  assert.deepEqual(buffer.log, ['init', 'abort', 'key', 'c']);
  assert.equal(told.dropped, 2);
});

test('it is cut by bytes as well, and whole where there is no keyframe to go on from', () => {
  const { buffer, told, appender } = start();
  appender.push(step('a', false, 600));
  appender.push(step('b', false, 600));
  appender.push(step('c', false, 600));
  appender.attach(buffer);
  for (let n = 0; n < 3; n++) buffer.done();
  assert.deepEqual(buffer.log, ['abort', 'c']);
  assert.equal(told.dropped, 2);
});

test('steps that are no media are bounded, too', () => {
  const { told, appender } = start();
  for (let n = 0; n < 100; n++) appender.push(step(`${n}`, false, 0));
  assert.equal(told.broken.length, 1);
});

test('a full buffer is emptied once; where that does not help, the part goes', () => {
  const { buffer, told, appender } = start({ makeRoom: (full) => (full.remove(), true) });
  buffer.full = true;
  appender.attach(buffer);
  appender.push(step('a'));
  assert.deepEqual(buffer.log, ['remove']);
  buffer.full = false;
  buffer.done();
  assert.deepEqual(buffer.log, ['remove', 'a']);
  buffer.full = true;
  buffer.done();
  appender.push(step('b'));
  buffer.done();
  assert.equal(told.dropped, 1);
  assert.deepEqual(buffer.log, ['remove', 'a', 'remove', 'abort']);
  buffer.full = false;
  appender.push(step('c'));
  assert.equal(buffer.log.at(-1), 'c');
});

test('what is broken is told once, and nothing more is put in', () => {
  const { buffer, told, appender } = start();
  appender.attach(buffer);
  appender.push({ bytes: 1, keyframe: true, run: () => { throw new Error('no'); } });
  appender.push(step('a'));
  buffer.dispatchEvent(new Event('error'));
  assert.equal(told.broken.length, 1);
  assert.deepEqual(buffer.log, []);
});
