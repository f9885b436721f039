/** What a connection sends again that an earlier one has brought. */

import type { Part } from './wire.js';

type Place = Pick<Part, 'segment' | 'firstPts'>;

/**
 * A connection that begins anew within a run begins at a keyframe that lies back. Were those parts put in again, the pictures that
 * wait after them would go, so they are left out up to the one that came last.
 */
export class Repeats {
  private latest: Place | null = null;
  private repeating = false;

  /** Another connection, same media. */
  again(): void {
    this.repeating = this.latest !== null;
  }

  /** The part has not been there before. In order: parts of one picture may go back in PTS, where there are B-frames. */
  isNew(part: Place & Pick<Part, 'keyframe'>): boolean {
    const { latest } = this;
    if (this.repeating && latest) {
      const same = part.segment === latest.segment;
      const beyond = part.segment > latest.segment || (same && part.keyframe && part.firstPts > latest.firstPts);
      if (!beyond) {
        if (same && part.firstPts === latest.firstPts) this.repeating = false;
        return false;
      }
    }
    this.repeating = false;
    this.latest = { segment: part.segment, firstPts: part.firstPts };
    return true;
  }
}
