/** Pictures that carry their number, and a white marker to look at. */

import { cells, COLUMNS, DARK, LIGHT, ROWS, type Area } from './number.js';

export const WIDTH = 640;
export const HEIGHT = 360;

/** Where the marker of picture `n` is: it sweeps below the number from side to side. */
export function markerOf(n: number): Area {
  const [width, height] = [1 / 8, 1 / 5];
  const to = sweep(n * 6, Math.round((1 - width) * WIDTH)) / WIDTH;
  return { x: to, y: 0.66 + sweep(n, 40) / HEIGHT, width, height };
}

function sweep(position: number, range: number): number {
  const turn = position % (2 * range);
  return turn <= range ? turn : 2 * range - turn;
}

/** Planes Y, U, V of 4:2:0, with `number` in the picture and the marker of picture `n`. */
export function paint(number: number, n: number): Buffer {
  const planes = Buffer.alloc((WIDTH * HEIGHT * 3) / 2, 128);
  for (let y = 0; y < HEIGHT; y++) {
    for (let x = 0; x < WIDTH; x++) planes[y * WIDTH + x] = 60 + (((x + n * 2) ^ (y + n)) & 63);
  }
  const bits = cells(number);
  for (let index = 0; index < COLUMNS * ROWS; index++) {
    const [column, row] = [index % COLUMNS, Math.floor(index / COLUMNS)];
    const area = { x: (1 + (column * 6) / COLUMNS) / 8, y: (1 + row) / 8, width: 6 / 8 / COLUMNS, height: 1 / 8 };
    fill(planes, area, (bits >>> (31 - index)) & 1 ? LIGHT : DARK);
  }
  fill(planes, markerOf(n), 235);
  return planes;
}

function fill(planes: Buffer, area: Area, value: number): void {
  const [x0, x1] = [Math.round(area.x * WIDTH), Math.round((area.x + area.width) * WIDTH)];
  const [y0, y1] = [Math.round(area.y * HEIGHT), Math.round((area.y + area.height) * HEIGHT)];
  for (let y = y0; y < y1; y++) planes.fill(value, y * WIDTH + x0, y * WIDTH + x1);
}
