/** The join for hls.js (1.6 and later): hears what goes into the player, and from which run. */

import { FormatError } from './ticks.js';
import { readInit, readSamples, type VideoTrack } from './boxes.js';
import { Timeline, type Frame } from './timeline.js';

/** What of hls.js is used; an `Hls` fits. */
export interface HlsLike {
  // hls.js types its listeners by event; `any` is what both an `Hls` and a plain listener fit.
  on(event: any, listener: (event: any, payload: any) => void): void;
  off(event: any, listener: (event: any, payload: any) => void): void;
}

/** Of `BUFFER_APPENDING`, what is used. */
export interface Appending {
  readonly type: string;
  readonly parent: string;
  readonly data: Uint8Array;
  /** Minus the initial PTS, in seconds: what hls.js adds to the media of this fragment. Missing with initialisation segments. */
  readonly offset?: number | undefined;
  readonly frag: { readonly sn: number | 'initSegment'; readonly initSegment: { readonly relurl?: string | undefined } | null };
}

/** What an {@link HlsJoin} could not use. */
export interface HlsJoinOptions {
  /** Media that could not be read: its pictures have no boxes. */
  readonly onError?: (error: unknown) => void;
}

/**
 * Follows an hls.js player. A fragment's run is what the URI of its `EXT-X-MAP` says. (Its discontinuity counter is not: tracks may change
 * within a run.) hls.js may change its initial PTS within a run (after a seek, for one); each fragment is placed by the one it was put in
 * with.
 */
export class HlsJoin {
  readonly timeline = new Timeline();
  private track: VideoTrack | null = null;

  constructor(
    private readonly hls: HlsLike,
    private readonly options: HlsJoinOptions = {},
  ) {
    hls.on('hlsBufferAppending', this.appending);
    hls.on('hlsManifestLoading', this.reset);
    hls.on('hlsMediaDetaching', this.reset);
  }

  /** The picture that `requestVideoFrameCallback` reports at `mediaTime`. */
  at(mediaTime: number): Frame | null {
    return this.timeline.at(mediaTime);
  }

  destroy(): void {
    this.hls.off('hlsBufferAppending', this.appending);
    this.hls.off('hlsManifestLoading', this.reset);
    this.hls.off('hlsMediaDetaching', this.reset);
    this.timeline.clear();
  }

  private readonly reset = (): void => {
    this.timeline.clear();
    this.track = null;
  };

  private readonly appending = (_event: string, appending: Appending): void => {
    if (appending.type === 'audio' || appending.parent !== 'main') return;
    try {
      this.append(appending);
    } catch (error) {
      // A broken picture list must not break the player, which hls.js would do.
      this.options.onError?.(error);
    }
  };

  private append({ data, frag, offset }: Appending): void {
    // The last initialisation segment counts for what follows it, as in the player.
    this.track = readInit(data) ?? this.track;
    if (frag.sn === 'initSegment' || !this.track) return;
    const { timescale } = this.track;
    this.timeline.add({ run: runOf(frag.initSegment?.relurl), timescale, offset: offset ?? 0 }, readSamples(data, this.track));
  }
}

/** The run that the URI of an initialisation segment (`EXT-X-MAP`) names. */
export function runOf(uri: string | undefined): number {
  const run = /[?&]run=(\d{1,10})(?=&|$)/.exec(uri ?? '')?.[1];
  if (run === undefined) throw new FormatError(`no run is named by ${uri === undefined ? 'a fragment without EXT-X-MAP' : uri}`);
  return Number(run);
}
