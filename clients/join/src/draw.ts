/** Boxes onto a canvas that covers a video element. */

import type { Box } from './results.js';
import type { Shown } from './overlay.js';

/** In pixels of the canvas, origin top left. */
export interface Rect {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface Size {
  readonly width: number;
  readonly height: number;
}

/** Where the picture lies in an element that shows all of it (`object-fit: contain`, which video elements do by themselves). */
export function letterbox(picture: Size, element: Size): Rect {
  if (!(picture.width > 0 && picture.height > 0)) return { x: 0, y: 0, width: element.width, height: element.height };
  const scale = Math.min(element.width / picture.width, element.height / picture.height);
  const [width, height] = [picture.width * scale, picture.height * scale];
  return { x: (element.width - width) / 2, y: (element.height - height) / 2, width, height };
}

/** Fractions of the picture to pixels of the canvas; what lies outside the picture is cut off. */
export function place(box: Box, picture: Rect): Rect {
  const clamp = (fraction: number) => Math.min(1, Math.max(0, fraction));
  const [left, top] = [clamp(box.x), clamp(box.y)];
  const [right, bottom] = [clamp(box.x + box.width), clamp(box.y + box.height)];
  return {
    x: picture.x + left * picture.width,
    y: picture.y + top * picture.height,
    width: (right - left) * picture.width,
    height: (bottom - top) * picture.height,
  };
}

/** Makes the canvas as large as `video` is shown, in device pixels, and returns where its picture lies. */
export function cover(canvas: HTMLCanvasElement, video: HTMLVideoElement): Rect {
  const ratio = globalThis.devicePixelRatio || 1;
  const [width, height] = [Math.round(video.clientWidth * ratio), Math.round(video.clientHeight * ratio)];
  if (canvas.width !== width) canvas.width = width;
  if (canvas.height !== height) canvas.height = height;
  return letterbox({ width: video.videoWidth, height: video.videoHeight }, { width, height });
}

/**
 * Replaces what is on the canvas by these boxes; interpolated ones are dashed and have no confidence.
 *
 * With `image`, the picture is drawn below them, and the canvas must lie over the element. That is what keeps boxes and picture
 * together on the glass: browsers hand a video's pictures to the screen by another way than canvases, and boxes alone are seen
 * over the next picture for one refresh of the screen now and then.
 */
export function draw(context: CanvasRenderingContext2D, picture: Rect, boxes: readonly Shown[], image?: CanvasImageSource): void {
  context.clearRect(0, 0, context.canvas.width, context.canvas.height);
  if (image) context.drawImage(image, picture.x, picture.y, picture.width, picture.height);
  const line = Math.max(2, picture.height / 240);
  context.lineWidth = line;
  context.font = `${Math.max(12, picture.height / 28)}px sans-serif`;
  context.textBaseline = 'bottom';
  for (const box of boxes) {
    const at = place(box.box, picture);
    const colour = box.interpolated ? '#f5a623' : '#27d17c';
    context.strokeStyle = colour;
    context.setLineDash(box.interpolated ? [3 * line, 2 * line] : []);
    context.strokeRect(at.x, at.y, at.width, at.height);
    label(context, at, colour, box);
  }
}

function label(context: CanvasRenderingContext2D, at: Rect, colour: string, box: Shown): void {
  const text = box.interpolated ? box.label : `${box.label} ${Math.round(box.confidence * 100)} %`;
  const { width, fontBoundingBoxAscent: height } = context.measureText(text);
  context.fillStyle = colour;
  context.fillRect(at.x, at.y - height - 4, width + 8, height + 4);
  context.fillStyle = '#000';
  context.fillText(text, at.x + 4, at.y);
}
