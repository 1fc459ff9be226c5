/** The requests of one event-loop turn for one seat, encoded as they come, on their way to become one REQUESTS frame. */
import type { Exchange } from "../http/exchange.ts";
import { HEADER_BYTES, putHeader, ToWorker } from "../wire/frames.ts";
import { MarshalWriter } from "../wire/marshal-writer.ts";
import type { RequestEncoder } from "../wire/request-encoder.ts";
import type { Templates } from "../wire/templates.ts";

/** The frame's header and the opening of its list are written when the count is known. */
const FIRST_ITEM = HEADER_BYTES + 5;
/** A batch of this many leaves before the turn ends, so that worker and front work at the same time instead of in turns. */
const MOST_REQUESTS = 64;
/** As does one that has grown to this, so that frames stay far below their limit. */
const MOST_BYTES = 262_144;

export class RequestBatch {
  readonly #encoder: RequestEncoder;
  readonly #writer = new MarshalWriter();
  readonly #templates: Templates | null;
  #count = 0;

  constructor(encoder: RequestEncoder, templates: Templates | null) {
    this.#encoder = encoder;
    this.#templates = templates;
    this.#writer.at = FIRST_ITEM;
  }

  /** It should not wait for more. */
  get isFull(): boolean {
    return this.#count >= MOST_REQUESTS || this.#writer.at > MOST_BYTES;
  }

  add(id: number, exchange: Exchange): void {
    this.#encoder.encode(this.#writer, id, exchange, this.#templates);
    this.#count++;
  }

  /** The frame, and the batch is empty again; null where nothing waits. */
  take(): Buffer | null {
    if (this.#count === 0) return null;
    const { bytes, at } = this.#writer;
    putHeader(bytes, 0, ToWorker.requests, 0, at - HEADER_BYTES);
    bytes[HEADER_BYTES] = 0x5b; // list
    bytes.writeUInt32LE(this.#count, HEADER_BYTES + 1);
    this.#count = 0;
    this.#writer.at = FIRST_ITEM;
    // A copy, because the writer goes on in its own buffer while the kernel may still owe us this write.
    return Buffer.from(bytes.subarray(0, at));
  }
}
