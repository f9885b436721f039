/** Hears which picture a video element shows. */

import type { Frame, Timeline } from './timeline.js';

/** Calls back for each picture that is shown: the picture, or null where it is none of the timeline's. Returns what ends it. */
export function follow(
  video: HTMLVideoElement,
  timeline: Timeline,
  onFrame: (frame: Frame | null, mediaTime: number) => void,
): () => void {
  return 'requestVideoFrameCallback' in HTMLVideoElement.prototype
    ? followFrames(video, timeline, onFrame)
    : followClock(video, timeline, onFrame);
}

function followFrames(...[video, timeline, onFrame]: Parameters<typeof follow>): () => void {
  let handle = 0;
  const each = (_now: number, { mediaTime }: { mediaTime: number }): void => {
    handle = video.requestVideoFrameCallback(each);
    onFrame(timeline.at(mediaTime), mediaTime);
  };
  handle = video.requestVideoFrameCallback(each);
  return () => video.cancelVideoFrameCallback(handle);
}

/** Browsers without frame callbacks: the clock names the picture that should be on the screen. */
function followClock(...[video, timeline, onFrame]: Parameters<typeof follow>): () => void {
  let handle = 0;
  let shown: Frame | null | undefined;
  const each = (): void => {
    handle = requestAnimationFrame(each);
    const frame = timeline.shownAt(video.currentTime);
    if (frame === shown) return;
    shown = frame;
    onFrame(frame, frame?.mediaTime ?? video.currentTime);
  };
  handle = requestAnimationFrame(each);
  return () => cancelAnimationFrame(handle);
}
