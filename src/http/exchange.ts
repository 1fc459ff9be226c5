/**
 * One request, its response, and what stands between: the type that travels through the house.
 *
 * The edge makes it and implements its `sink`; stages and routes look at it; the dispatcher queues it, gives it to a seat, and the seat answers
 * through it. Whoever holds it may ask `isGone` (the client left) before spending work on it.
 *
 *     waiting ──▶ queued ──▶ given ──▶ streaming ──▶ done
 *        └──────────┴──────────┴───────────┴───────▶ done      (complete answer, error answer, or client gone)
 */
import type { RequestHead } from "./request-head.ts";
import type { ResponseFields } from "./response-fields.ts";

/** Who connected, and through which door. One object per connection, shared by its exchanges. */
export interface Peer {
  /** IP address, or empty for a Unix socket. */
  readonly address: string;
  readonly port: number;
  /** The listener's own name for SERVER_NAME and SERVER_PORT. */
  readonly serverName: string;
  readonly serverPort: number;
  readonly scheme: "http" | "https";
}

/** Takes the response to the client; implemented by the edge for each protocol. All methods are synchronous and never throw. */
export interface ResponseSink {
  /** A whole response. `body` as a string is latin-1 (one character per byte). */
  complete(exchange: Exchange, status: number, reason: string, fields: ResponseFields, body: string | Buffer): void;
  /** The head of a streamed response. */
  start(exchange: Exchange, status: number, reason: string, fields: ResponseFields): void;
  /** A piece of a streamed response. Returns the bytes now waiting for a slow client; `exchange.onDrain` is called as they leave. */
  write(exchange: Exchange, chunk: Buffer): number;
  /** The streamed response is complete. */
  end(exchange: Exchange): void;
  /** The streamed response cannot be completed: cut the connection so that nobody takes it for whole. */
  cut(exchange: Exchange): void;
  /** Ask the client for its body (100 Continue), once. */
  continue(exchange: Exchange): void;
  /** Give a streamed body's bytes on to `exchange.onBody` again after `pauseBody`. */
  resumeBody(exchange: Exchange): void;
  pauseBody(exchange: Exchange): void;
}

export type ExchangeState = "waiting" | "queued" | "given" | "streaming" | "done";
