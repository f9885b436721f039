/** Media time as whole numbers. A double holds 53 bits, PTS have 64: ticks are bigints wherever they are kept or compared. */

/** Seconds per tick, as numerator and denominator. */
export type TimeBase = readonly [num: number, den: number];

/** What came from outside and is not what it should be. */
export class FormatError extends Error {
  override name = 'FormatError';
}

const MIN = -(2n ** 63n);
const MAX = 2n ** 63n - 1n;

/** A PTS of a message. A JSON number that a double cannot hold exactly is refused: read messages with {@link parseExact}. */
export function toTicks(value: unknown): bigint {
  if (typeof value === 'bigint' || (typeof value === 'number' && Number.isSafeInteger(value))) {
    const ticks = BigInt(value);
    if (ticks >= MIN && ticks <= MAX) return ticks;
  }
  throw new FormatError(`not a whole number of ticks: ${String(value)}`);
}

/** A time base of a message. */
export function toTimeBase(value: unknown): TimeBase {
  if (Array.isArray(value) && value.length === 2) {
    const [num, den] = value as [unknown, unknown];
    if (isPositive(num) && isPositive(den)) return [num, den];
  }
  throw new FormatError(`not a time base: ${JSON.stringify(value) ?? 'nothing'}`);
}

function isPositive(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value > 0 && value < 2 ** 32;
}

/** Stands before a whole number that a double cannot hold. */
const MARK = '\u0000ticks:';

/** Like `JSON.parse`, except that whole numbers beyond 53 bits become bigints rather than other numbers. */
export function parseExact(text: string): unknown {
  // Strings are matched first, so that digits inside them stay what they are; one without an end goes on to the end of the text,
  // so that time is linear, and `JSON.parse` refuses it.
  const marked = text.replace(/"(?:[^"\\]|\\[^])*"?|-?\d[\d.eE+-]*/g, (token) => {
    if (token.length < 16 || !/^-?\d{1,40}$/.test(token) || Number.isSafeInteger(Number(token))) return token;
    return JSON.stringify(MARK + token);
  });
  if (marked === text) return JSON.parse(text);
  if (text.includes('u0000ticks:')) throw new FormatError('a message that names the mark of long numbers');
  return JSON.parse(marked, (_key, value: unknown) =>
    typeof value === 'string' && value.startsWith(MARK) ? BigInt(value.slice(MARK.length)) : value,
  );
}

/**
 * The arithmetic of the join for players that report an initial PTS and nothing else: `mediaTime` seconds on the player's
 * timeline, plus `initial` units of `timescale`, in ticks of `num / timescale`.
 *
 * Browsers keep media time in microseconds, so this is exact for ticks of 4 us and longer. Shorter ones need the list of
 * pictures that a `Timeline` holds.
 */
export function ticksAt(mediaTime: number, initial: number, timescale: number, num = 1): bigint {
  // The large part never meets the fraction in one double.
  const whole = Math.floor(initial);
  const units = BigInt(whole) + BigInt(Math.round(mediaTime * timescale + (initial - whole)));
  return divideRounded(units, BigInt(num));
}

/** To the nearest whole number, halves up. */
export function divideRounded(value: bigint, by: bigint): bigint {
  const doubled = 2n * value + by;
  const quotient = doubled / (2n * by);
  return doubled < 0n && quotient * 2n * by !== doubled ? quotient - 1n : quotient;
}
