/** The app's end of one open WebSocket, on its seat's link (PROTOCOL.md, "WebSocket"): messages as frames, within the credit of both directions. */
import type { WebSocketApp, WebSocketClient } from "../http/web-socket.ts";
import {
  FromWorker,
  MAX_BODY_FRAME,
  messageCost,
  REQUEST_CREDIT,
  RESPONSE_CREDIT,
  ToWorker,
  WireError,
} from "../wire/frames.ts";

/** Puts a frame on the link before the turn ends. */
export interface WebSocketLink {
  webSocketFrame(type: number, id: number, payload: Uint8Array): void;
  webSocketCredit(id: number, bytes: number): void;
}

/** Credit is given back in pieces of this size. */
const CREDIT_STEP = RESPONSE_CREDIT / 4;

export class OpenWebSocket implements WebSocketApp {
  credit: number = REQUEST_CREDIT;
  readonly #id: number;
  readonly #link: WebSocketLink;
  readonly #client: WebSocketClient;
  /** What those of the app's messages cost that the client has not taken, and those taken that have not been granted again. */
  #untaken = 0;
  #ungranted = 0;
  /** The app has been told that it is over, or has said so itself. */
  #isClosed = false;
  /** The id is somebody else's. */
  #isFinished = false;

  constructor(id: number, link: WebSocketLink, client: WebSocketClient) {
    this.#id = id;
    this.#link = link;
    this.#client = client;
  }

  // --- from the client

  message(isText: boolean, isLast: boolean, payload: Buffer): void {
    if (this.#isClosed || this.#isFinished) return;
    this.credit -= messageCost(payload.length);
    const type = isLast ? (isText ? ToWorker.wsText : ToWorker.wsBinary) : ToWorker.wsPart;
    this.#link.webSocketFrame(type, this.#id, payload);
  }

  taken(cost: number): void {
    this.#untaken -= cost;
    this.#ungranted += cost;
    if (this.#ungranted < CREDIT_STEP || this.#isClosed || this.#isFinished) return;
    this.#link.webSocketCredit(this.#id, this.#ungranted);
    this.#ungranted = 0;
  }

  closed(code: number, reason: string): void {
    if (this.#isClosed || this.#isFinished) return;
    this.#isClosed = true;
    const payload = Buffer.from(`  ${reason}`, "utf8");
    payload.writeUInt16LE(code, 0);
    this.#link.webSocketFrame(ToWorker.wsClosed, this.#id, payload);
  }

  // --- from the worker

  /** One of the worker's frames for this WebSocket. */
  onFrame(type: number, payload: Buffer): void {
    switch (type) {
      case FromWorker.wsText:
        return this.#send(true, true, payload);
      case FromWorker.wsBinary:
        return this.#send(false, true, payload);
      case FromWorker.wsPart:
        return this.#send(true, false, payload);
      case FromWorker.wsBinaryPart:
        return this.#send(false, false, payload);
      case FromWorker.credit:
        if (payload.length !== 4) throw new WireError("CREDIT without a number");
        this.credit += payload.readUInt32LE(0);
        this.#client.resume();
        return;
      case FromWorker.wsClose:
        if (payload.length < 2) throw new WireError("WS_CLOSE without a code");
        this.#client.close(payload.readUInt16LE(0), payload.toString("utf8", 2));
        return;
    }
  }

  /** The worker is done with the id; `code` closes what it has left open. */
  finish(code: number): void {
    this.#isFinished = true;
    this.#client.close(code, "");
  }

  #send(isText: boolean, isLast: boolean, payload: Buffer): void {
    const { length } = payload;
    if (length > MAX_BODY_FRAME) throw new WireError(`WebSocket frame of ${length} bytes`);
    // A frame may take the credit below zero.
    if (this.#untaken >= RESPONSE_CREDIT + MAX_BODY_FRAME)
      throw new WireError("more WebSocket messages than the credit");
    const cost = messageCost(length);
    this.#untaken += cost;
    this.#client.send(isText, isLast, payload, cost);
  }
}
