import assert from 'node:assert/strict';
import { test } from 'node:test';

import { CASES } from '../dist/cases.js';
import { complaints, filmComplaints, judge } from '../dist/judge.js';

const plan = CASES.find(({ name }) => name === 'live');
const sighting = (n, changes = {}) => ({
  mediaTime: n / 30,
  number: n,
  run: 0,
  units: `${n * 3000}`,
  label: n % 3 === 0 ? n : null,
  interpolated: n % 3 !== 0,
  formula: `${n * 3000}`,
  ...changes,
});
const report = (change = (each) => each) => {
  const sightings = Array.from({ length: 300 }, (_unused, n) => change(sighting(n)));
  return { sightings, analysed: sightings.map((_each, n) => n % 3 === 0), errors: [], counts: null };
};
const found = (change) => complaints(judge(report(change), plan), plan, 12);

test('what is right has no complaints', () => {
  assert.deepEqual(found(), []);
});

test('each kind of mistake is found, if it happens once', () => {
  const once = (changes) => (each) => (each.number === 150 ? { ...each, ...changes } : each);
  assert.match(found(once({ label: 153 }))[0], /1 boxes on other pictures/);
  assert.match(found(once({ units: '447000' }))[0], /1 pictures named wrongly/);
  assert.match(found(once({ run: 1 }))[0], /1 pictures named wrongly/);
  assert.match(found(once({ formula: '450001' }))[0], /arithmetic/);
  assert.match(found(once({ number: null, label: null }))[0], /could not be read/);
});

test('a player that stopped on the way is found', () => {
  const { sightings, analysed } = report();
  const cut = { sightings: sightings.slice(0, 200), analysed: analysed.slice(0, 200), errors: [], counts: null };
  assert.deepEqual(complaints(judge(cut, plan), plan, 12), ['it ended with picture 199']);
});

test('boxes that are not there, and a player that shows nothing, are found', () => {
  assert.match(found((each) => (each.number < 6 ? { ...each, label: null } : each))[0], /boxes on 98 of 100/);
  assert.match(found((each) => (each.number < 50 ? { ...each, run: null, units: null, formula: null } : each))[0], /without a name/);
  const empty = { sightings: [], analysed: [], errors: [], counts: null };
  assert.ok(complaints(judge(empty, plan), plan, 12).length >= 3);
});

test('a film may begin at another time, but no picture of it may be off by another', () => {
  const shifted = (each) => ({ ...each, run: 4, units: `${BigInt(each.units) + 1024n}` });
  assert.deepEqual(filmComplaints(report(shifted), plan, 12), []);
  const one = (each) => (each.number === 7 ? { ...shifted(each), units: '0' } : shifted(each));
  assert.match(filmComplaints(report(one), plan, 12)[0], /run 4 is off by 1024, -21000/);
  assert.match(filmComplaints({ ...report(), sightings: [] }, plan, 12)[0], /only 0 pictures/);
});
