/**
 * A WebSocket between its two ends: the edge, which speaks RFC 6455 with the client, and the seat, which speaks the wire with the app. It hangs on
 * the handshake's Exchange.
 *
 *     offered ──accept──▶ open ──closed by either end, or lost──▶ over
 *        └──an ordinary response refuses it──▶ over
 *
 * Both directions are bounded: the edge sends no more of the client's messages than `app.credit` allows, the seat grants the app what the client
 * has taken.
 */
import type { ResponseFields } from "./response-fields.ts";

/** Close codes that the front gives (RFC 6455 section 7.4.1 and the IANA registry). */
export const CloseCode = {
  normal: 1000,
  goingAway: 1001,
  protocolError: 1002,
  noStatus: 1005,
  lost: 1006,
  invalidPayload: 1007,
  tooBig: 1009,
  internalError: 1011,
  serviceRestart: 1012,
} as const;

/** The client's end; the edge implements it. Nothing here throws, and all is ignored once the WebSocket is over. */
export interface WebSocketClient {
  /** Answers the handshake: the WebSocket is open. */
  accept(subprotocol: string | null, fields: ResponseFields): void;
  /** A message of the app, or a part of one where `isLast` is false. `payload` is only valid during the call; `cost` is told to `taken`. */
  send(isText: boolean, isLast: boolean, payload: Buffer, cost: number): void;
  /** Begins the closing handshake. */
  close(code: number, reason: string): void;
  /** Ends it in the app's stead: the app is told, then the client. */
  dismiss(code: number, reason: string): void;
  /** The app takes more: `app.credit` has grown. */
  resume(): void;
}

/** The app's end; the seat implements it. */
export interface WebSocketApp {
  /** What messages may cost that are passed on; a piece may take it below zero. */
  credit: number;
  /** A message of the client, or a part of one where `isLast` is false. `payload` is only valid during the call. */
  message(isText: boolean, isLast: boolean, payload: Buffer): void;
  /** The client has taken messages of the app that cost so much. */
  taken(cost: number): void;
  /** The WebSocket is over; said once. */
  closed(code: number, reason: string): void;
}

export class WebSocketChannel {
  /** What the client offers in Sec-WebSocket-Protocol, in its order of preference. */
  readonly subprotocols: readonly string[];
  readonly client: WebSocketClient;
  /** Set by the seat when the app accepts. */
  app: WebSocketApp | null = null;

  constructor(subprotocols: readonly string[], client: WebSocketClient) {
    this.subprotocols = subprotocols;
    this.client = client;
  }
}
