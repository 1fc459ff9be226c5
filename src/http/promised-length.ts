/**
 * The Content-Length that the head of a streamed response has promised, held against what the app gives then. More would be taken for the next
 * response (RFC 9112 section 6.3) or make this one malformed (RFC 9113 section 8.1.1); less leaves the client waiting.
 */
const NOTHING = Buffer.alloc(0);

/** How a streamed response kept its Content-Length. */
export type Kept = "promise" | "too little" | "too much";

export class PromisedLength {
  /** False for HEAD, 204 and 304: no body is sent, whatever the app gives. */
  readonly carriesBody: boolean;
  /** Still to come; negative where nothing was promised. */
  #left: number;
  #excess = 0;

  /** `length` is what Content-Length says, -1 without one. */
  constructor(length: number, carriesBody: boolean) {
    this.carriesBody = carriesBody;
    this.#left = length;
  }

  /** The part of a piece that may be sent, counted as sent. */
  admit(piece: Buffer): Buffer {
    if (!this.carriesBody) return NOTHING;
    if (this.#left < 0) return piece;
    let admitted = piece;
    if (piece.length > this.#left) {
      this.#excess += piece.length - this.#left;
      admitted = piece.subarray(0, this.#left);
    }
    this.#left -= admitted.length;
    return admitted;
  }

  /** Still to come; -1 where nothing was promised. */
  get left(): number {
    return this.carriesBody ? this.#left : 0;
  }

  /** So many bytes, at most what is left, have been sent otherwise. */
  count(bytes: number): void {
    this.#left -= bytes;
  }

  /** At the response's end. */
  get kept(): Kept {
    if (this.#left > 0 && this.carriesBody) return "too little";
    return this.#excess > 0 ? "too much" : "promise";
  }

  /** Bytes that are missing or too many, for the log. */
  get difference(): number {
    return this.#left > 0 ? this.#left : this.#excess;
  }
}
