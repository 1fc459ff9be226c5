/**
 * A request's body on its way from the client to an upstream while it still arrives: a RequestBody as the Readable that the client library takes.
 * It takes from the one what the other has room for, so a slow upstream pauses the client. It ends with the body, or is destroyed by the library.
 */
import { Readable } from "node:stream";
import type { RequestBody } from "../http/request-body.ts";

const PIECE_BYTES = 65_536;

export class Upload extends Readable {
  readonly #body: RequestBody;
  #hasRoom = false;
  #isPumping = false;
  #isAsked = false;
  #isOver = false;
  readonly #expectsContinue: boolean;

  /** `expectsContinue`: its client waits for 100 Continue, which it gets when the upstream's connection takes the body. */
  constructor(body: RequestBody, expectsContinue: boolean) {
    super({ highWaterMark: PIECE_BYTES });
    this.#body = body;
    this.#expectsContinue = expectsContinue;
    body.onReadable = () => this.#pump();
  }

  /** Some of the body has gone: it cannot be sent again. */
  hasTaken = false;

  override _read(): void {
    this.#hasRoom = true;
    if (!this.#isAsked) {
      this.#isAsked = true;
      if (this.#expectsContinue) {
        this.#body.isWanted = true;
        this.#body.onWanted?.();
      }
    }
    this.#pump();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#isOver = true;
    this.#body.onReadable = null;
    done(error);
  }

  // Private

  #pump(): void {
    // Who takes lets the client's socket go on, and that may push.
    if (this.#isPumping || this.#isOver) return;
    this.#isPumping = true;
    while (this.#hasRoom && this.#body.size > 0) {
      this.hasTaken = true;
      for (const chunk of this.#body.take(PIECE_BYTES)) this.#hasRoom = this.push(chunk);
    }
    this.#isPumping = false;
    if (!this.#body.isEnded || this.#body.size > 0) return;
    this.#isOver = true;
    this.#body.onReadable = null;
    this.push(null);
  }
}
