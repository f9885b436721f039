import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

import { cells, readNumber } from '../dist/number.js';
import { HEIGHT, paint, WIDTH } from '../dist/paint.js';

/** Grey as a canvas would hold it. */
const rgba = (luma, width, height) => {
  const data = new Uint8ClampedArray(width * height * 4);
  for (let index = 0; index < width * height; index++) data.fill(luma[index], index * 4, index * 4 + 3);
  return { data, width, height };
};

test('the pictures of the testkit are read', () => {
  // Written by the testkit itself (`paint::Painter::new(64, 48).frame(number)`).
  for (const number of [0, 699050, 777777]) {
    const file = readFileSync(new URL(`${number}.pgm`, import.meta.url));
    const header = 'P5\n64 48\n255\n';
    assert.equal(file.subarray(0, header.length).toString(), header);
    assert.equal(readNumber(rgba(file.subarray(header.length), 64, 48)), number);
  }
});

test('our own pictures are read, at any number', () => {
  for (const number of [0, 1, 30_017, 50_359, (1 << 20) - 1]) {
    assert.equal(readNumber(rgba(paint(number, number % 500), WIDTH, HEIGHT)), number);
  }
});

test('a picture without a number, or with a damaged one, is none', () => {
  for (const grey of [0, 16, 126, 255]) assert.equal(readNumber(rgba(Buffer.alloc(WIDTH * HEIGHT, grey), WIDTH, HEIGHT)), null);
  const planes = paint(77, 0);
  for (let cell = 0; cell < 32; cell++) {
    const changed = Buffer.from(planes);
    const [x, y] = [80 + (cell % 8) * 60, 45 + Math.floor(cell / 8) * 45];
    const turned = (cells(77) >>> (31 - cell)) & 1 ? 32 : 220;
    for (let row = y; row < y + 45; row++) changed.fill(turned, row * WIDTH + x, row * WIDTH + x + 60);
    assert.equal(readNumber(rgba(changed, WIDTH, HEIGHT)), null, `cell ${cell}`);
  }
});
