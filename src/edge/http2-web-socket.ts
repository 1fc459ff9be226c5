/**
 * A WebSocket on a stream of HTTP/2 (RFC 8441): an extended CONNECT is its handshake, a 200 the consent, and then the stream is a tunnel.
 *
 *     asked ──200──▶ open ──our END_STREAM and the client's, or a reset──▶ closed
 *       └──an ordinary response refuses it──▶ closed
 */
import type { Exchange, Peer, ResponseSink } from "../http/exchange.ts";
import { reasonPhrase } from "../http/http1/response-head.ts";
import { ErrorCode } from "../http/http2/errors.ts";
import { responseHead } from "../http/http2/response-head.ts";
import type { Http2StreamState } from "../http/http2/stream.ts";
import { EMPTY_BODY } from "../http/request-body.ts";
import type { RequestHead } from "../http/request-head.ts";
import type { ResponseFields } from "../http/response-fields.ts";
import { CloseCode } from "../http/web-socket.ts";
import type { ByteStream } from "../streams/byte-stream.ts";
import type { Http2Connection } from "./http2-connection.ts";
import type { Http2Stream, StreamInCharge } from "./http2-stream.ts";
import { Http2Tunnel } from "./http2-tunnel.ts";
import type { WebSocketConnection } from "./web-socket-connection.ts";
import { offerWebSocket, type WebSocketHost } from "./web-socket-offer.ts";

export class Http2WebSocket implements StreamInCharge, ResponseSink, WebSocketHost {
  readonly #state: Http2StreamState;
  readonly #connection: Http2Connection;
  /** The handshake, as the request that it is; it says the refusal. */
  readonly #request: Http2Stream;
  readonly #tunnel: Http2Tunnel;
  #webSocket: WebSocketConnection | null = null;

  constructor(state: Http2StreamState, connection: Http2Connection, request: Http2Stream) {
    this.#state = state;
    this.#connection = connection;
    this.#request = request;
    this.#tunnel = new Http2Tunnel(state, connection);
    state.handler = this;
  }

  begin(head: RequestHead, peer: Peer): void {
    const exchange = this.#request.handshake(head, peer, this);
    exchange.body = EMPTY_BODY;
    if (offerWebSocket(exchange, this.#connection.context, this, false)) this.#connection.context.submit(exchange);
  }

  // --- from the session and the connection

  onData(chunk: Buffer): void {
    this.#tunnel.onData(chunk);
  }

  onEnd(): void {
    if (this.#webSocket !== null) return this.#tunnel.onEnd();
    // Nobody can talk with half a WebSocket: the client has left.
    this.#connection.session.reset(this.#state, ErrorCode.cancel);
    this.#request.onReset();
  }

  onReset(): void {
    if (this.#webSocket === null) this.#request.onReset();
    else this.#tunnel.onReset();
  }

  onTaken(bytes: number): void {
    if (this.#webSocket === null) this.#request.onTaken(bytes);
    else this.#tunnel.onTaken(bytes);
  }

  checkTimeouts(now: number): void {
    this.#webSocket?.checkTimeouts(now);
  }

  isStalled(now: number, ms: number): boolean {
    return this.#request.isStalled(now, ms);
  }

  drain(): void {
    this.#webSocket?.dismiss(CloseCode.serviceRestart, "");
  }

  // --- the app consents

  get isDraining(): boolean {
    return this.#connection.context.isDraining;
  }

  switchProtocols(fields: ResponseFields): ByteStream {
    const { context, hsts, session } = this.#connection;
    this.#request.letGo().status = 200;
    this.#state.isTunnel = true;
    session.out.head(this.#state, responseHead(200, fields, -1, context, hsts), false);
    this.#connection.touch();
    return this.#tunnel;
  }

  began(webSocket: WebSocketConnection): void {
    this.#webSocket = webSocket;
    this.#tunnel.handTo(webSocket);
  }

  onOver(exchange: Exchange): void {
    this.#connection.context.onDone?.(exchange);
  }

  onStruck(detail: string): void {
    this.#connection.context.onCutOff(this.#connection.peer.address, detail);
  }

  // --- or refuses

  complete(exchange: Exchange, status: number, reason: string, fields: ResponseFields, body: string | Buffer): void {
    exchange.status = refusing(status);
    this.#request.complete(exchange, exchange.status, reason, fields, body);
  }

  start(exchange: Exchange, status: number, _reason: string, fields: ResponseFields): void {
    exchange.status = refusing(status);
    this.#request.start(exchange, exchange.status, reasonPhrase(exchange.status), fields);
  }

  inform(exchange: Exchange, status: number, fields: ResponseFields): void {
    this.#request.inform(exchange, status, fields);
  }

  write(exchange: Exchange, chunk: Buffer): void {
    this.#request.write(exchange, chunk);
  }

  end(exchange: Exchange, trailers: ResponseFields | null): void {
    this.#request.end(exchange, trailers);
  }

  cut(exchange: Exchange): void {
    this.#request.cut(exchange);
  }
}

/** Any 2xx would be a consent (RFC 8441 section 5, RFC 9110 section 9.3.6), while in HTTP/1.1 only 101 is one. */
function refusing(status: number): number {
  return status >= 200 && status < 300 ? 403 : status;
}
