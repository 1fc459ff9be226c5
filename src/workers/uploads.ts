/**
 * Request bodies on their way to one seat's worker: BODY and END frames as the worker's credit allows (PROTOCOL.md, "Front to worker").
 * `send` keeps the order of the seat link; it is called with the parts of one frame.
 */
import type { RequestBody } from "../http/request-body.ts";
import {
  frame,
  HEADER_BYTES,
  MAX_BODY_FRAME,
  putHeader,
  REQUEST_CREDIT,
  ToWorker,
  u32,
  WireError,
} from "../wire/frames.ts";

interface Upload {
  readonly body: RequestBody;
  credit: number;
  /** The client waits for 100 Continue, and the app has not asked yet. */
  awaitsFirstCredit: boolean;
  isEnded: boolean;
  /** What was sent before the worker asked for any of it: a request that is handed back unbegun has its body again. At most REQUEST_CREDIT. */
  sentUnasked: Buffer[] | null;
}

export class Uploads {
  readonly #send: (parts: readonly Buffer[]) => void;
  readonly #open = new Map<number, Upload>();

  constructor(send: (parts: readonly Buffer[]) => void) {
    this.#send = send;
  }

  get isEmpty(): boolean {
    return this.#open.size === 0;
  }

  /** Begins to send a body, or waits for the app to ask where the client expects 100 Continue. */
  open(id: number, body: RequestBody, expectsContinue: boolean): void {
    const upload: Upload = {
      body,
      credit: expectsContinue ? 0 : REQUEST_CREDIT,
      awaitsFirstCredit: expectsContinue,
      isEnded: false,
      sentUnasked: [],
    };
    this.#open.set(id, upload);
    body.onReadable = () => this.#pump(id, upload);
    this.#pump(id, upload);
  }

  /** Nothing more of this body is wanted. */
  close(id: number): void {
    const upload = this.#open.get(id);
    if (upload === undefined) return;
    upload.body.onReadable = null;
    this.#open.delete(id);
  }

  /** The request was never begun: all of its body waits again, for another seat. */
  takeBack(id: number): void {
    const upload = this.#open.get(id);
    if (upload === undefined) return;
    this.close(id);
    if (upload.sentUnasked === null) throw new WireError(`request ${id} handed back after it asked for its body`);
    upload.body.putBack(upload.sentUnasked);
  }

  /** A CREDIT frame came. */
  grant(id: number, payload: Buffer): void {
    const granted = u32(payload, "CREDIT");
    const upload = this.#open.get(id);
    if (upload === undefined) return;
    upload.credit += granted;
    upload.sentUnasked = null;
    if (upload.awaitsFirstCredit) {
      upload.awaitsFirstCredit = false;
      upload.credit += REQUEST_CREDIT;
      upload.body.isWanted = true;
      upload.body.onWanted?.();
    }
    this.#pump(id, upload);
  }

  #pump(id: number, upload: Upload): void {
    while (upload.credit > 0 && upload.body.size > 0) {
      const chunks = upload.body.take(Math.min(upload.credit, MAX_BODY_FRAME));
      const length = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
      upload.credit -= length;
      upload.sentUnasked?.push(...chunks);
      const header = Buffer.allocUnsafe(HEADER_BYTES);
      putHeader(header, 0, ToWorker.body, id, length);
      this.#send([header, ...chunks]);
    }
    if (upload.body.isEnded && upload.body.size === 0 && !upload.isEnded && !upload.awaitsFirstCredit) {
      upload.isEnded = true;
      this.#send([frame(ToWorker.end, id)]);
    }
  }
}
