/** The WebSockets of one seat: accepted by the worker, open, over. They hold their ids but are no work; their frames leave together at the turn's end. */
import type { Exchange } from "../http/exchange.ts";
import { CloseCode } from "../http/web-socket.ts";
import { ToWorker, WireError } from "../wire/frames.ts";
import type { ResponseDecoder } from "../wire/response-decoder.ts";
import { OpenWebSocket, type WebSocketLink } from "./open-web-socket.ts";
import type { SeatOutflow } from "./seat-outflow.ts";
import type { Slots } from "./slots.ts";

export class SeatWebSockets implements WebSocketLink {
  readonly #slots: Slots;
  readonly #outflow: SeatOutflow;

  constructor(slots: Slots, outflow: SeatOutflow) {
    this.#slots = slots;
    this.#outflow = outflow;
  }

  /** WS_ACCEPT for an exchange whose answer has not begun. */
  accept(exchange: Exchange, acceptance: ReturnType<ResponseDecoder["accept"]>, isAccepting: boolean): void {
    const { webSocket, slot } = exchange;
    if (webSocket === null || webSocket.app !== null) throw new WireError(`request ${slot} is no WebSocket to accept`);
    const app = new OpenWebSocket(slot, this, webSocket.client);
    this.#slots.release(slot);
    exchange.onGone = null;
    webSocket.app = app;
    // A client that left has been told to the app by CANCEL: what it still sends goes into the void.
    if (exchange.accept(acceptance.subprotocol, acceptance.fields) && !isAccepting)
      webSocket.client.dismiss(CloseCode.serviceRestart, "");
  }

  /** A frame of the worker for an open WebSocket; false where the exchange is none. */
  onFrame(exchange: Exchange, type: number, payload: Buffer): boolean {
    const app = exchange.webSocket?.app;
    if (!(app instanceof OpenWebSocket)) return false;
    app.onFrame(type, payload);
    return true;
  }

  /** The worker is done with it; `code` closes what it has left open. False where the exchange is no open WebSocket. */
  finish(exchange: Exchange, code: number): boolean {
    const app = exchange.webSocket?.app;
    if (!(app instanceof OpenWebSocket)) return false;
    app.finish(code);
    return true;
  }

  /** Closes all of them, because the worker goes. */
  dismiss(): void {
    if (this.#slots.released === 0) return;
    for (const { webSocket } of this.#slots.held()) {
      if (webSocket?.app instanceof OpenWebSocket) webSocket.client.dismiss(CloseCode.serviceRestart, "");
    }
  }

  webSocketFrame(type: number, id: number, payload: Uint8Array): void {
    this.#outflow.outbox.add(type, id, payload);
    this.#outflow.frameAdded();
  }

  webSocketCredit(id: number, bytes: number): void {
    this.#outflow.outbox.addNumber(ToWorker.credit, id, bytes);
    this.#outflow.frameAdded();
  }
}
