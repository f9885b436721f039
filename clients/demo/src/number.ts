/**
 * The frame number in the picture, as the testkit's clips carry it: 8 x 4 cells of black and white over x in [1/8, 7/8),
 * y in [1/8, 5/8) of the picture. Row-major bits, most significant first: `10`, 20 bits of number, 8 of checksum, `10`.
 */

export const COLUMNS = 8;
export const ROWS = 4;
/** Numbers are below this. */
export const LIMIT = 1 << 20;
export const DARK = 32;
export const LIGHT = 220;
const MIDDLE = (DARK + LIGHT) / 2;
/** A mean this close to the middle is damage, not a bit. */
const DOUBT = 30;

/** A rectangle in fractions of a picture. */
export interface Area {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** Where the testkit draws the grid. */
export const GRID: Area = { x: 1 / 8, y: 1 / 8, width: 6 / 8, height: 4 / 8 };

/** A number as two rows along the upper edge, so that below it the picture can be anything. */
export const STRIP = { area: { x: 1 / 8, y: 0.02, width: 6 / 8, height: 0.18 }, columns: 16, rows: 2 } as const;

/** 8-bit RGBA, as a canvas gives it. */
export interface Pixels {
  readonly data: Uint8ClampedArray;
  readonly width: number;
  readonly height: number;
}

/** The 32 bits of `number`. */
export function cells(number: number): number {
  return ((0b10 << 30) | (number << 10) | (checksum(number) << 2) | 0b10) >>> 0;
}

/** CRC-8 (polynomial 0x07) of the 20 bits, started at 0x5A so that an all-dark picture is no number. */
function checksum(number: number): number {
  let crc = 0x5a;
  for (let bit = 19; bit >= 0; bit--) {
    const top = ((crc >> 7) & 1) ^ ((number >> bit) & 1);
    crc = ((crc << 1) & 0xff) ^ (top ? 0x07 : 0);
  }
  return crc;
}

/** The number whose grid of `columns` x `rows` lies in `area`; null where a cell is unclear or the checksum is wrong. */
export function readNumber(pixels: Pixels, area: Area = GRID, columns = COLUMNS, rows = ROWS): number | null {
  let bits = 0;
  for (let index = 0; index < columns * rows; index++) {
    const [column, row] = [index % columns, Math.floor(index / columns)];
    // The inner half of the cell.
    const from = meanOf(pixels, {
      x: area.x + ((column + 0.25) * area.width) / columns,
      y: area.y + ((row + 0.25) * area.height) / rows,
      width: area.width / columns / 2,
      height: area.height / rows / 2,
    });
    if (!(Math.abs(from - MIDDLE) >= DOUBT)) return null;
    bits = ((bits << 1) | (from > MIDDLE ? 1 : 0)) >>> 0;
  }
  const number = (bits >>> 10) & (LIMIT - 1);
  return cells(number) === bits ? number : null;
}

/** Mean green. */
function meanOf({ data, width, height }: Pixels, area: Area): number {
  const [x0, y0] = [Math.round(area.x * width), Math.round(area.y * height)];
  const [x1, y1] = [Math.max(x0 + 1, Math.round((area.x + area.width) * width)), Math.max(y0 + 1, Math.round((area.y + area.height) * height))];
  let sum = 0;
  for (let y = y0; y < y1; y++) {
    for (let x = x0; x < x1; x++) sum += data[(y * width + x) * 4 + 1] ?? NaN;
  }
  return sum / ((x1 - x0) * (y1 - y0));
}

/** The number in the strip along the upper edge. */
export function readStrip(pixels: Pixels): number | null {
  return readNumber(pixels, STRIP.area, STRIP.columns, STRIP.rows);
}
