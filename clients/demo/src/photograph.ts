/** What is truly on the glass: photographs of the page, with the picture's number and that of the box drawn over it. */

import { setTimeout as pause } from 'node:timers/promises';

import type { Browser, Page } from 'playwright-core';

import type { Area } from './number.js';

export interface Photographs {
  /** Photographs that hold a box of exactly one picture. */
  readonly taken: number;
  /** Those whose two numbers differ. */
  readonly off: number;
}

/** Photographs `page` every `interval` seconds until `done`, and leaves one of all of it in `file`. */
export async function photograph(page: Page, done: Promise<unknown>, interval: number, file: string): Promise<Buffer[]> {
  let over = false;
  void done.finally(() => (over = true));
  const shots: Buffer[] = [];
  const stage = page.locator('#stage');
  while (!over) {
    shots.push(await stage.screenshot({ scale: 'css' }));
    await pause(interval * 1000);
  }
  await page.screenshot({ path: file });
  return shots;
}

/** Reads them in a page of its own, when nothing is played any more. */
export async function develop(browser: Browser, base: string, open: (page: Page) => Promise<void>, shots: readonly Buffer[]): Promise<Photographs> {
  const page = await browser.newPage();
  await open(page);
  await page.goto(`${base}/join-demo/page/blank.html`);
  const pairs: (readonly [number | null, number | null])[] = [];
  for (const shot of shots) pairs.push(await page.evaluate(readPair, shot.toString('base64')));
  await page.close();
  const whole = pairs.filter(([picture, box]) => picture !== null && box !== null);
  return { taken: whole.length, off: whole.filter(([picture, box]) => picture !== box).length };
}

async function readPair(png: string): Promise<readonly [number | null, number | null]> {
  // Runs in the page: the module comes from there.
  const { readNumber } = (await import('/join-demo/demo/number.js' as string)) as typeof import('./number.js');
  const image = await createImageBitmap(await (await fetch(`data:image/png;base64,${png}`)).blob());
  const canvas = new OffscreenCanvas(image.width, image.height);
  const pen = canvas.getContext('2d') as OffscreenCanvasRenderingContext2D;
  pen.drawImage(image, 0, 0);
  const pixels = pen.getImageData(0, 0, image.width, image.height);
  const strip: Area = { x: 1 / 8, y: 0.02, width: 6 / 8, height: 0.08 };
  return [readNumber(pixels), readNumber(pixels, strip, 32, 1)];
}
