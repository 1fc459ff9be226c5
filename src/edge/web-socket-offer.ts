/**
 * The client's end of a WebSocket, from the handshake on: waits for the app's answer, opens the connection, and passes on what the app says.
 * A refusal is an ordinary response and does not come by here.
 */
import { createHash } from "node:crypto";
import type { Clock } from "../clock.ts";
import { answerError } from "../http/error-response.ts";
import type { Exchange } from "../http/exchange.ts";
import type { ResponseFields } from "../http/response-fields.ts";
import { CloseCode, WebSocketChannel, type WebSocketClient } from "../http/web-socket.ts";
import { acceptFields, type Handshake, KEY_SUFFIX, readHandshake } from "../http/websocket/handshake.ts";
import { refuseHandshake } from "../http/websocket/refusal.ts";
import type { ByteStream } from "../streams/byte-stream.ts";
import type { EdgeContext } from "./context.ts";
import { WebSocketConnection, type WebSocketSettings } from "./web-socket-connection.ts";

/** The connection, or the stream of one, that carried the handshake. */
export interface WebSocketHost {
  /** The house is closing: a new WebSocket ends as soon as it is open. */
  readonly isDraining: boolean;
  /** Says yes to the client, with these fields; from now on the stream belongs to the WebSocket. `digest` is Sec-WebSocket-Accept, for HTTP/1.1. */
  switchProtocols(fields: ResponseFields, digest: string): ByteStream;
  /** What comes from the stream goes to the WebSocket, first of all what came early. */
  began(webSocket: WebSocketConnection): void;
  /** It is over; said once. */
  onOver(exchange: Exchange, webSocket: WebSocketConnection): void;
  onStruck(detail: string): void;
}

type GoodHandshake = Extract<Handshake, { type: "handshake" }>;

/** Whether a handshake can be taken at this door at all. */
export function takesWebSockets(context: EdgeContext): boolean {
  return context.webSocket !== null && context.hasAsgi();
}

/** WSGI has no WebSocket: its app may answer the handshake as it likes. */
export function speaksWebSocket(exchange: Exchange, context: EdgeContext): boolean {
  return context.webSocket !== null && context.speaksAsgi(exchange);
}

/**
 * Hangs the offer of a WebSocket on the exchange of its handshake, where the app knows what that is. False where the handshake was wrong and has been
 * answered.
 * @param hasKey false in HTTP/2 (RFC 8441 section 5).
 */
export function offerWebSocket(
  exchange: Exchange,
  context: EdgeContext,
  host: WebSocketHost,
  hasKey: boolean,
): boolean {
  const { webSocket, clock } = context;
  if (webSocket === null || !speaksWebSocket(exchange, context)) {
    if (hasKey) return true;
    // A tunnel in HTTP/2 is no request that a WSGI app could answer.
    answerError(exchange, 501);
    return false;
  }
  const handshake = readHandshake(exchange.head, webSocket.deflate, hasKey);
  if (handshake.type === "handshake") {
    const offer = new WebSocketOffer(exchange, handshake, webSocket, clock, host);
    exchange.webSocket = new WebSocketChannel(handshake.subprotocols, offer);
    return true;
  }
  context.onRejected(exchange.peer.address, handshake.status, handshake.detail);
  refuseHandshake(exchange, handshake.status, handshake.detail);
  return false;
}

class WebSocketOffer implements WebSocketClient {
  readonly #exchange: Exchange;
  readonly #handshake: GoodHandshake;
  readonly #settings: WebSocketSettings;
  readonly #clock: Clock;
  readonly #host: WebSocketHost;
  #connection: WebSocketConnection | null = null;

  constructor(
    exchange: Exchange,
    handshake: GoodHandshake,
    settings: WebSocketSettings,
    clock: Clock,
    host: WebSocketHost,
  ) {
    this.#exchange = exchange;
    this.#handshake = handshake;
    this.#settings = settings;
    this.#clock = clock;
    this.#host = host;
  }

  accept(subprotocol: string | null, fields: ResponseFields): void {
    const { key, deflate } = this.#handshake;
    const host = this.#host;
    // RFC 6455 section 4.2.2, /accept/.
    const digest =
      key === ""
        ? ""
        : createHash("sha1")
            .update(key + KEY_SUFFIX)
            .digest("base64");
    const stream = host.switchProtocols(acceptFields(fields, subprotocol, deflate?.answer ?? ""), digest);
    const exchange = this.#exchange;
    const connection = new WebSocketConnection(stream, exchange.webSocket!.app!, deflate, this.#settings, this.#clock, {
      onOver: (webSocket) => {
        exchange.finish();
        exchange.sentBytes = webSocket.sentBytes;
        host.onOver(exchange, webSocket);
      },
      onStruck: (detail) => host.onStruck(detail),
    });
    this.#connection = connection;
    host.began(connection);
    if (host.isDraining) connection.dismiss(CloseCode.serviceRestart, "");
  }

  send(isText: boolean, isLast: boolean, payload: Buffer, cost: number): void {
    this.#connection?.send(isText, isLast, payload, cost);
  }

  close(code: number, reason: string): void {
    this.#connection?.close(code, reason);
  }

  dismiss(code: number, reason: string): void {
    this.#connection?.dismiss(code, reason);
  }

  resume(): void {
    this.#connection?.resume();
  }
}
