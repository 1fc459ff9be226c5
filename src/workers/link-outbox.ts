/** Small frames for a seat link that wait for the end of the turn: the messages of many WebSockets leave in one write. */
import { HEADER_BYTES, putHeader } from "../wire/frames.ts";

const FIRST_BYTES = 4096;
/** From here on it does not wait for the end of the turn. */
const FULL_BYTES = 262_144;

export class LinkOutbox {
  #bytes: Buffer | null = null;
  #size = 0;

  get isEmpty(): boolean {
    return this.#size === 0;
  }

  get isFull(): boolean {
    return this.#size >= FULL_BYTES;
  }

  /** A frame; the payload is copied. */
  add(type: number, id: number, payload: Uint8Array): void {
    const at = this.#size;
    const bytes = this.#room(at + HEADER_BYTES + payload.length);
    putHeader(bytes, at, type, id, payload.length);
    bytes.set(payload, at + HEADER_BYTES);
  }

  /** A frame whose payload is a u32. */
  addNumber(type: number, id: number, value: number): void {
    const at = this.#size;
    const bytes = this.#room(at + HEADER_BYTES + 4);
    putHeader(bytes, at, type, id, 4);
    bytes.writeUInt32LE(value, at + HEADER_BYTES);
  }

  /** What waits; the outbox is empty again. */
  take(): Buffer {
    const taken = this.#bytes!.subarray(0, this.#size);
    // The kernel may still owe us this write, so the next turn has a buffer of its own.
    this.#bytes = null;
    this.#size = 0;
    return taken;
  }

  #room(size: number): Buffer {
    if (this.#bytes === null) this.#bytes = Buffer.allocUnsafe(Math.max(size, FIRST_BYTES));
    else if (size > this.#bytes.length) {
      const larger = Buffer.allocUnsafe(Math.max(size, this.#bytes.length * 2));
      this.#bytes.copy(larger, 0, 0, this.#size);
      this.#bytes = larger;
    }
    this.#size = size;
    return this.#bytes;
  }
}
