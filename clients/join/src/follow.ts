/** Hears which picture a video element shows. */

import type { Frame, Timeline } from './timeline.js';

/** A picture as it is shown. */
export interface Showing {
  /** Its name; null where it is none of the timeline's. */
  readonly frame: Frame | null;
  /** On the player's timeline, in seconds. */
  readonly mediaTime: number;
  /** The very picture that is named, to draw from. Valid during the call only. */
  readonly image: CanvasImageSource;
}

/** Goes on until it is stopped. */
export interface Following {
  /** Calls back once more for the picture that is shown now: its result has come meanwhile, or the element's size has changed. */
  refresh(): void;
  stop(): void;
}

/**
 * Calls back for each picture that is shown.
 *
 * A frame callback may come when the element has gone on to the next picture already, so what it says is only the occasion:
 * picture and time are taken from the element together, as a `VideoFrame`. Browsers without those get the callback's time, those
 * without frame callbacks the clock's.
 */
export function follow(video: HTMLVideoElement, timeline: Timeline, onShow: (showing: Showing) => void): Following {
  return 'requestVideoFrameCallback' in HTMLVideoElement.prototype
    ? followFrames(video, timeline, onShow)
    : followClock(video, timeline, onShow);
}

function followFrames(...[video, timeline, onShow]: Parameters<typeof follow>): Following {
  let told: number | null = null;
  const show = (): void => {
    const picture = take(video);
    if (!picture) {
      if (told !== null) onShow({ frame: timeline.at(told), mediaTime: told, image: video });
      return;
    }
    try {
      const mediaTime = picture.timestamp / 1e6;
      onShow({ frame: timeline.at(mediaTime), mediaTime, image: picture });
    } finally {
      picture.close();
    }
  };
  const each = (_now: number, { mediaTime }: { mediaTime: number }): void => {
    handle = video.requestVideoFrameCallback(each);
    told = mediaTime;
    show();
  };
  let handle = video.requestVideoFrameCallback(each);
  return { refresh: show, stop: () => video.cancelVideoFrameCallback(handle) };
}

function take(video: HTMLVideoElement): VideoFrame | null {
  if (typeof VideoFrame === 'undefined') return null;
  try {
    return new VideoFrame(video);
  } catch {
    // Protected or foreign media, or none yet.
    return null;
  }
}

function followClock(...[video, timeline, onShow]: Parameters<typeof follow>): Following {
  let shown: Frame | null | undefined;
  const show = (): void => {
    shown = timeline.shownAt(video.currentTime);
    onShow({ frame: shown, mediaTime: shown?.mediaTime ?? video.currentTime, image: video });
  };
  const each = (): void => {
    handle = requestAnimationFrame(each);
    if (timeline.shownAt(video.currentTime) !== shown) show();
  };
  let handle = requestAnimationFrame(each);
  return { refresh: show, stop: () => cancelAnimationFrame(handle) };
}
