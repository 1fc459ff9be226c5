/**
 * What a client may do that costs us and asks for nothing, before it is one too many: two buckets that time fills again. Pure; the one who has the
 * clock calls `tick`.
 */

/** Requests taken back or broken before they were answered ("rapid reset", CVE-2023-44487; our own resets that a client provokes: CVE-2025-8671). */
export const RESETS = 200;
const RESETS_PER_SECOND = 50;
/**
 * Frames that ask for no response: PING, SETTINGS, PRIORITY, RST_STREAM, WINDOW_UPDATE, empty DATA, unknown ones, small ones for a stream that we
 * have reset (CVE-2019-9512, 9515, 9518).
 * What we send earns the client some more: its WINDOW_UPDATEs are no flood.
 */
export const FRAMES = 2000;
const FRAMES_PER_SECOND = 500;
const FRAMES_EARNED = 4;

export class Patience {
  #resets = RESETS;
  #frames = FRAMES;
  readonly #takeSentFrames: () => number;

  /** @param takeSentFrames frames that we have sent since it was last called. */
  constructor(takeSentFrames: () => number) {
    this.#takeSentFrames = takeSentFrames;
  }

  tick(seconds: number): void {
    this.#resets = Math.min(RESETS, this.#resets + seconds * RESETS_PER_SECOND);
    const earned = this.#takeSentFrames() * FRAMES_EARNED;
    this.#frames = Math.min(FRAMES, this.#frames + seconds * FRAMES_PER_SECOND + earned);
  }

  /** A request was taken back or broken. False where it was one too many. */
  takesReset(): boolean {
    return --this.#resets >= 0;
  }

  /** A frame came that asks for no response. False where it was one too many. */
  takesFrame(): boolean {
    if (--this.#frames >= 0) return true;
    this.#frames = Math.min(FRAMES, this.#takeSentFrames() * FRAMES_EARNED);
    return this.#frames > 0;
  }
}
