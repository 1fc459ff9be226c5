/** An HTTP/1.1 connection on its way to becoming a WebSocket (RFC 6455 section 4.2.2): made for the handshake, forgotten with it when it is refused. */
import type { Exchange } from "../http/exchange.ts";
import { switchingHead } from "../http/http1/response-head.ts";
import type { ResponseFields } from "../http/response-fields.ts";
import type { ByteStream } from "../streams/byte-stream.ts";
import type { EdgeContext } from "./context.ts";
import type { WebSocketConnection } from "./web-socket-connection.ts";
import type { WebSocketHost } from "./web-socket-offer.ts";

/** The connection that carried the handshake. */
export interface Switching {
  readonly stream: ByteStream;
  readonly address: string;
  /** No exchange is at work any more: what the stream says and hears is the WebSocket's. */
  switched(): void;
  /** From now on the stream's bytes go to it. Returns those that came behind the handshake. */
  become(webSocket: WebSocketConnection): Buffer;
}

export class Http1WebSocketHost implements WebSocketHost {
  readonly #connection: Switching;
  readonly #context: EdgeContext;

  constructor(connection: Switching, context: EdgeContext) {
    this.#connection = connection;
    this.#context = context;
  }

  get isDraining(): boolean {
    return this.#context.isDraining;
  }

  switchProtocols(fields: ResponseFields, digest: string): ByteStream {
    const { date, server } = this.#context;
    const { stream } = this.#connection;
    this.#connection.switched();
    stream.writeText(switchingHead(fields, digest, date, server));
    return stream;
  }

  began(webSocket: WebSocketConnection): void {
    const { stream } = this.#connection;
    const early = this.#connection.become(webSocket);
    if (stream.isPaused) stream.resume();
    if (early.length > 0) webSocket.onBytes(early);
  }

  onOver(exchange: Exchange): void {
    this.#context.onDone?.(exchange);
  }

  onStruck(detail: string): void {
    this.#context.onCutOff(this.#connection.address, detail);
  }
}
