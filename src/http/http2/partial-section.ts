/** A header section whose HEADERS did not end it, gathered from its CONTINUATION frames (RFC 9113 section 6.10). Bounded in frames and in bytes. */

/** CONTINUATION frames of one section (CVE-2024-27316). */
const CONTINUATIONS = 16;

export class PartialSection {
  readonly #limit: number;
  /** Whose it is; 0 where there is none. */
  stream = 0;
  #pieces: Buffer[] = [];
  #bytes = 0;

  /** @param limit bytes that a section may have. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  begin(stream: number, block: Buffer): void {
    this.stream = stream;
    // Copied: it outlives the read whose buffer it stands in.
    this.#pieces = [Buffer.from(block)];
    this.#bytes = block.length;
  }

  /** False where that is too much. */
  add(payload: Buffer): boolean {
    this.#pieces.push(Buffer.from(payload));
    this.#bytes += payload.length;
    return this.#pieces.length <= CONTINUATIONS && this.#bytes <= this.#limit;
  }

  /** All of it, once END_HEADERS has come. */
  take(): Buffer {
    const block = Buffer.concat(this.#pieces);
    this.#pieces = [];
    this.stream = 0;
    return block;
  }
}
