export { boxes, MAX_SAMPLES, readInit, readSamples, type Sample, type VideoTrack } from './boxes.js';
export { cover, draw, letterbox, place, type Rect, type Size } from './draw.js';
export { follow, type Following, type Showing } from './follow.js';
export { HlsJoin, runOf, type Appending, type HlsJoinOptions, type HlsLike } from './hls.js';
export { Overlay, type OverlayOptions, type Shown } from './overlay.js';
export { readResult, type Box, type Detection, type FrameResult } from './results.js';
export { divideRounded, FormatError, parseExact, ticksAt, toTicks, toTimeBase, type TimeBase } from './ticks.js';
export { Timeline, type Frame, type Placement } from './timeline.js';
