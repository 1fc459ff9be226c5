/**
 * One request on an HTTP/2 connection and its response (RFC 9113 section 8.1): the stream's body on its way to the app, the sink for the answer,
 * and the word to the app when the client takes the request back.
 *
 * Flow control is the stream's: what the app does not take is not credited, so its window closes; what the client does not take is not
 * acknowledged to the seat, so its credit closes. Both leave the connection's other streams alone.
 */
import { Exchange, type Peer, type ResponseSink } from "../http/exchange.ts";
import { UNREADABLE } from "../http/glimpse.ts";
import type { ProtocolError } from "../http/http1/protocol-error.ts";
import { carriesBody, reasonPhrase, takesTrailers } from "../http/http1/response-head.ts";
import { ErrorCode } from "../http/http2/errors.ts";
import { informationalHead, responseHead, trailerSection } from "../http/http2/response-head.ts";
import type { Http2StreamState, StreamHandler } from "../http/http2/stream.ts";
import { PromisedLength } from "../http/promised-length.ts";
import { EMPTY_BODY } from "../http/request-body.ts";
import type { RequestHead } from "../http/request-head.ts";
import type { ResponseFields } from "../http/response-fields.ts";
import type { Http2Connection } from "./http2-connection.ts";
import { dressedRefusal } from "./refusal.ts";
import { type BodySource, RequestIntake } from "./request-intake.ts";
import { StallWatch } from "./stall-watch.ts";

const UNPROMISED = new PromisedLength(-1, true);
const CONTINUE = [":status", "100"];

/** Who answers for a stream: a request, or the WebSocket that it has become. */
export interface StreamInCharge extends StreamHandler {
  /** Called now and then with the clock's time: ends what has waited too long. */
  checkTimeouts(now: number): void;
  /** True where the client has taken nothing of what waits for it since `ms` before. Asked at each sweep. */
  isStalled(now: number, ms: number): boolean;
  /** The house is closing. */
  drain(): void;
}

export class Http2Stream implements ResponseSink, StreamInCharge, BodySource {
  readonly #state: Http2StreamState;
  readonly #connection: Http2Connection;
  #exchange: Exchange | null = null;
  #intake: RequestIntake | null = null;
  isBodyPaused = false;
  /** Received while the app takes nothing; credited to the client when it does. */
  #heldBytes = 0;
  /** Of a streamed response. */
  #length: PromisedLength = UNPROMISED;
  #stall: StallWatch | null = null;

  constructor(state: Http2StreamState, connection: Http2Connection) {
    this.#state = state;
    this.#connection = connection;
    state.handler = this;
  }

  // --- from the client

  begin(head: RequestHead, peer: Peer): void {
    const { context } = this.#connection;
    const exchange = new Exchange(head, peer, this, context.clock.now());
    this.#exchange = exchange;
    if (this.#state.isRemoteEnded) {
      exchange.body = EMPTY_BODY;
      context.submit(exchange);
      return;
    }
    this.#state.promised = head.framing === "chunked" ? -1 : head.contentLength;
    this.#intake = new RequestIntake(exchange, context, this);
    if (this.#intake.begin()) this.#connection.unsettled.push(this);
  }

  /** The request is the handshake of a WebSocket, whose client is answered by `sink`. */
  handshake(head: RequestHead, peer: Peer, sink: ResponseSink): Exchange {
    this.#exchange = new Exchange(head, peer, sink, this.#connection.context.clock.now());
    return this.#exchange;
  }

  /** The handshake has succeeded: what follows is not the request's. */
  letGo(): Exchange {
    const exchange = this.#exchange!;
    this.#exchange = null;
    return exchange;
  }

  /** The body may still be on its way. */
  checkTimeouts(now: number): void {
    if (!this.#state.isRemoteEnded && this.#exchange !== null) this.#intake?.checkProgress(now);
  }

  /** No more bytes are at hand. */
  settle(): void {
    if (this.#exchange?.state === "waiting" && !this.#state.isRemoteEnded) this.#intake?.pause();
  }

  /** The request could not be read, but for what is known of it. What is malformed is reset (RFC 9113 section 8.1.1), what is only beyond a limit is told so. */
  refuse({ status, detail }: ProtocolError, known: RequestHead = UNREADABLE): void {
    const { context, peer, session } = this.#connection;
    const exchange = new Exchange(UNREADABLE, peer, this, context.clock.now());
    context.onRejected(peer.address, status, detail);
    if (status !== 400) {
      const { fields, body } = dressedRefusal(known, status, context);
      exchange.head = known.method === "HEAD" ? { ...UNREADABLE, method: "HEAD" } : UNREADABLE;
      this.#exchange = exchange;
      exchange.complete(status, reasonPhrase(status), fields, body);
      return;
    }
    session.refuseMalformed(this.#state);
    exchange.state = "done";
    exchange.status = status;
    context.onDone?.(exchange);
  }

  onData(chunk: Buffer): void {
    const exchange = this.#exchange;
    // What comes after the answer is not credited: it ends with the window at the latest.
    if (exchange === null || exchange.state === "done") return;
    this.#intake?.push(chunk, true);
    if (this.isBodyPaused) this.#heldBytes += chunk.length;
    else this.#connection.session.consume(this.#state, chunk.length);
    if (exchange.state === "waiting") this.#connection.unsettled.push(this);
  }

  onEnd(): void {
    const exchange = this.#exchange;
    if (exchange !== null && exchange.state !== "done") this.#intake?.end();
  }

  onReset(): void {
    const exchange = this.#exchange;
    if (exchange === null) return;
    this.#exchange = null;
    if (exchange.state === "done") return;
    this.#intake?.abandon();
    exchange.leave();
    if (exchange.status === 0) exchange.status = 499;
    this.#connection.context.onDone?.(exchange);
  }

  pauseBody(): void {
    this.isBodyPaused = true;
  }

  resumeBody(): void {
    this.isBodyPaused = false;
    this.#connection.session.consume(this.#state, this.#heldBytes);
    this.#heldBytes = 0;
    this.#connection.touch();
  }

  reject(status: number, detail: string): void {
    const exchange = this.#exchange;
    if (exchange === null || exchange.state === "done") return;
    const { context, hsts, peer, session } = this.#connection;
    context.onRejected(peer.address, status, detail);
    const hasBegun = exchange.state === "streaming";
    this.#exchange = null;
    exchange.leave();
    if (hasBegun) session.reset(this.#state, ErrorCode.cancel);
    else {
      const { fields, body } = dressedRefusal(exchange.head, status, context);
      const head = responseHead(status, fields, body.length, context, hsts);
      const hasBody = carriesBody(status, exchange.head.method);
      if (hasBody) session.out.complete(this.#state, head, body);
      else session.out.head(this.#state, head, true);
      exchange.status = status;
      exchange.sentBytes = hasBody ? body.length : 0;
    }
    context.onDone?.(exchange);
    this.#connection.touch();
  }

  continueBody(): void {
    if (this.#state.isRemoteEnded || this.#state.isClosed) return;
    this.#connection.session.out.head(this.#state, CONTINUE, false);
    this.#connection.touch();
  }

  onTaken(bytes: number): void {
    this.#exchange?.onSent?.(bytes);
  }

  /** It finishes as if nothing were. */
  drain(): void {}

  isStalled(now: number, ms: number): boolean {
    const { queuedBytes, sent } = this.#state;
    this.#stall ??= new StallWatch();
    return this.#stall.isStalled(queuedBytes > 0, sent, now, ms);
  }

  // --- to the client

  complete(exchange: Exchange, status: number, reason: string, fields: ResponseFields, body: string | Buffer): void {
    if (exchange !== this.#exchange) return;
    const hasBody = carriesBody(status, exchange.head.method);
    if (hasBody && fields.contentLength >= 0 && fields.contentLength !== body.length) {
      // A broken promise takes the streamed way, which drops what is too much and resets where something is missing.
      this.start(exchange, status, reason, fields);
      this.write(exchange, typeof body === "string" ? Buffer.from(body, "latin1") : body);
      return this.end(exchange, null);
    }
    const { context, hsts, session } = this.#connection;
    if (hasBody && body.length > 0) {
      exchange.sentBytes = body.length;
      session.out.complete(this.#state, responseHead(status, fields, body.length, context, hsts), body);
    } else {
      const length = hasBody ? 0 : fields.contentLength === -1 && body.length > 0 ? body.length : fields.contentLength;
      session.out.head(this.#state, responseHead(status, fields, length, context, hsts), true);
    }
    this.#answered(exchange);
  }

  inform(exchange: Exchange, status: number, fields: ResponseFields): void {
    // RFC 9113 section 8.6: there is no 101 in HTTP/2.
    if (exchange !== this.#exchange || status === 101) return;
    this.#connection.session.out.head(this.#state, informationalHead(status, fields), false);
    this.#connection.touch();
  }

  start(exchange: Exchange, status: number, _reason: string, fields: ResponseFields): void {
    if (exchange !== this.#exchange) return;
    this.#length = new PromisedLength(fields.contentLength, carriesBody(status, exchange.head.method));
    const { context, hsts, session } = this.#connection;
    session.out.head(
      this.#state,
      responseHead(status, fields, fields.contentLength, context, hsts),
      !this.#length.carriesBody,
    );
    this.#connection.touch();
  }

  write(exchange: Exchange, chunk: Buffer): void {
    if (exchange !== this.#exchange || chunk.length === 0) return;
    const piece = this.#length.admit(chunk);
    if (piece.length === 0) return exchange.onSent?.(chunk.length);
    if (piece.length < chunk.length) exchange.onSent?.(chunk.length - piece.length);
    exchange.sentBytes += piece.length;
    this.#connection.session.out.data(this.#state, piece);
    this.#connection.touch();
  }

  end(exchange: Exchange, trailers: ResponseFields | null): void {
    if (exchange !== this.#exchange) return;
    const { context, session } = this.#connection;
    const { sentBytes } = exchange;
    const { kept, difference, carriesBody } = this.#length;
    if (kept === "too little") {
      context.onBadLength(exchange, sentBytes + difference, sentBytes);
      return this.cut(exchange);
    }
    if (kept === "too much") context.onBadLength(exchange, sentBytes, sentBytes + difference);
    const section = trailers !== null && takesTrailers(exchange.head) ? trailerSection(trailers) : [];
    if (carriesBody) session.out.end(this.#state, section.length === 0 ? null : section);
    this.#answered(exchange);
  }

  cut(exchange: Exchange): void {
    if (exchange !== this.#exchange) return;
    this.#exchange = null;
    this.#connection.context.onDone?.(exchange);
    this.#connection.session.reset(this.#state, ErrorCode.internalError);
    this.#connection.touch();
  }

  #answered(exchange: Exchange): void {
    // What waits in the stream's queue is still acknowledged to the seat.
    if (this.#state.queuedBytes === 0) this.#exchange = null;
    this.#connection.touch();
    this.#connection.context.onDone?.(exchange);
  }
}
