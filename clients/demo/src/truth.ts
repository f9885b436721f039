/** What the server itself says a (run, PTS) looks like: its own picture of it, with the number that this picture carries. */

import type { Pixels } from './number.js';

/** The number in the server's picture; null where there is none (any more), or where it cannot be read. */
export async function truthOf(streamUrl: string, run: number, pts: bigint, read: (pixels: Pixels) => number | null): Promise<number | null> {
  const answer = await fetch(`${streamUrl}/frame.jpg?run=${run}&pts=${pts}`);
  // The picture that is shown at this time is asked for; only the one that begins then will do.
  if (!answer.ok || answer.headers.get('x-media-time-pts') !== `${pts}`) return null;
  const image = await createImageBitmap(await answer.blob());
  const pen = new OffscreenCanvas(image.width, image.height).getContext('2d') as OffscreenCanvasRenderingContext2D;
  pen.drawImage(image, 0, 0);
  return read(pen.getImageData(0, 0, image.width, image.height));
}
