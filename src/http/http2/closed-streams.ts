/** Streams closed last, by which a late frame is judged (RFC 9113 section 5.1): one we reset may still get frames from a client that does not know. */

const REMEMBERED = 1024;
/** Room at first: most connections have few streams, and those of a browser wait for hours. */
const FIRST = 16;

export class ClosedStreams {
  /** Ids, negative where we reset the stream; a ring once it has REMEMBERED places. */
  #ids: Int32Array | null = null;
  #at = 0;

  add(id: number, isOurReset: boolean): void {
    // An idle connection needs none.
    const ids = (this.#ids ??= new Int32Array(FIRST));
    this.#roomy(ids)[this.#at++ % REMEMBERED] = isOurReset ? -id : id;
  }

  /** How it was closed; "unknown" where it never was, or long ago. */
  how(id: number): "by us" | "otherwise" | "unknown" {
    for (const closed of this.#ids ?? []) if (Math.abs(closed) === id) return closed < 0 ? "by us" : "otherwise";
    return "unknown";
  }

  /** The client has reset it too: it knows that the stream is closed, and nothing may follow. */
  isKnownClosed(id: number): void {
    const at = this.#ids?.indexOf(-id) ?? -1;
    if (at !== -1) this.#ids![at] = id;
  }

  #roomy(ids: Int32Array): Int32Array {
    if (this.#at < ids.length || ids.length === REMEMBERED) return ids;
    const larger = new Int32Array(Math.min(REMEMBERED, ids.length * 4));
    larger.set(ids);
    this.#ids = larger;
    return larger;
  }
}
