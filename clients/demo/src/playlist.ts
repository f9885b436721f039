/** Low-latency HLS of a broadcast (RFC 8216bis): segments, parts, discontinuities counted by runs. */

import type { AiredPart, Broadcast } from './broadcast.js';

/** Segments whose parts are listed. */
const WITH_PARTS = 3;

export interface Segment {
  readonly number: number;
  readonly parts: readonly AiredPart[];
  readonly whole: boolean;
}

export function segmentsOf(broadcast: Broadcast): Segment[] {
  const segments: { number: number; parts: AiredPart[]; whole: boolean }[] = [];
  for (const aired of broadcast.aired) {
    let segment = segments.at(-1);
    if (segment?.number !== aired.segment) segments.push((segment = { number: aired.segment, parts: [], whole: false }));
    segment.parts.push(aired);
    segment.whole = aired.last;
  }
  return segments;
}

export function playlistOf(broadcast: Broadcast): string {
  const segments = segmentsOf(broadcast);
  const target = broadcast.partTarget;
  const lines = [
    '#EXTM3U',
    '#EXT-X-VERSION:9',
    '#EXT-X-TARGETDURATION:3',
    `#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK=${(3 * target).toFixed(3)}`,
    `#EXT-X-PART-INF:PART-TARGET=${target.toFixed(5)}`,
    '#EXT-X-MEDIA-SEQUENCE:0',
    '#EXT-X-DISCONTINUITY-SEQUENCE:0',
  ];
  let run: number | null = null;
  for (const [index, segment] of segments.entries()) {
    const { plan } = segment.parts[0]!.clip;
    if (run !== null && run !== plan.run) lines.push('#EXT-X-DISCONTINUITY');
    if (run !== plan.run) lines.push(`#EXT-X-MAP:URI="init-${plan.run}.mp4?run=${plan.run}"`);
    run = plan.run;
    lines.push(...segmentLines(segment, index >= segments.length - WITH_PARTS));
  }
  if (broadcast.ended) lines.push('#EXT-X-ENDLIST');
  return lines.join('\n') + '\n';
}

function segmentLines({ number, parts, whole }: Segment, withParts: boolean): string[] {
  const lines = withParts
    ? parts.map(({ part }, index) => {
        const independent = part.keyframe ? ',INDEPENDENT=YES' : '';
        return `#EXT-X-PART:DURATION=${part.seconds.toFixed(5)},URI="part-${number}-${index}.m4s"${independent}`;
      })
    : [];
  if (!whole) return lines;
  const seconds = parts.reduce((sum, { part }) => sum + part.seconds, 0);
  return [...lines, `#EXTINF:${seconds.toFixed(5)},`, `segment-${number}.m4s`];
}

/** The playlist has what a blocking reload asks for. */
export function has(broadcast: Broadcast, segment: number, part: number | null): boolean {
  if (broadcast.ended) return true;
  const last = broadcast.aired.at(-1);
  if (!last) return false;
  if (last.segment > segment) return true;
  if (last.segment < segment) return false;
  return part === null ? last.last : broadcast.aired.filter((each) => each.segment === segment).length > part;
}
