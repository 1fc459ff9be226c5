/**
 * One HTTP/1.1 client connection: feeds the codec, makes the exchanges, writes the responses. One request at a time; what a client pipelines
 * waits in the codec.
 *
 *     head ─▶ body gathered or streamed ─▶ submitted ─▶ response written ─▶ body read to its end ─▶ next request, or close
 *
 * Invariants: an exchange is submitted once; the next request begins only after the response is written and the body read; a response that
 * cannot be whole ends with the connection cut.
 */
import { ClientIdentity } from "../http/client-identity.ts";
import { Exchange, type FilePart, type Peer, type ResponseSink } from "../http/exchange.ts";
import { BadForwarding } from "../http/forwarded.ts";
import { type ProtocolError, RequestParser } from "../http/http1/request-parser.ts";
import { UNREADABLE } from "../http/glimpse.ts";
import { carriesBody, takesTrailers } from "../http/http1/response-head.ts";
import { EMPTY_BODY } from "../http/request-body.ts";
import type { RequestHead } from "../http/request-head.ts";
import type { ResponseFields } from "../http/response-fields.ts";
import type { ByteStream, StreamListener } from "../streams/byte-stream.ts";
import { CloseCode } from "../http/web-socket.ts";
import { asksForWebSocket } from "../http/websocket/handshake.ts";
import { type ClientConnection, LINGER_MS } from "./connection.ts";
import type { EdgeContext } from "./context.ts";
import { Http1ResponseWriter } from "./http1-response-writer.ts";
import { Http1WebSocketHost } from "./http1-web-socket.ts";
import type { WebSocketConnection } from "./web-socket-connection.ts";
import { offerWebSocket, speaksWebSocket } from "./web-socket-offer.ts";
import { type BodySource, RequestIntake } from "./request-intake.ts";
import { StallWatch } from "./stall-watch.ts";

/** What a client still sends of a body nobody wants is read and thrown away up to here; more ends the connection. */
const DISCARD_BYTES = 1_048_576;
/** Bytes of following requests that are kept while one is at work. */
const PIPELINE_BYTES = 65_536;
/** `since` of a phase whose beginning the next sweep will note. */
const UNNOTED = -1;

export class Http1Connection implements ClientConnection, ResponseSink, StreamListener, BodySource {
  readonly #stream: ByteStream;
  readonly #peer: Peer;
  readonly #context: EdgeContext;
  readonly #parser: RequestParser;
  readonly #writer: Http1ResponseWriter;
  #exchange: Exchange | null = null;
  /** Takes in the body of the request, where it has one. */
  #intake: RequestIntake | null = null;
  #bodyIsRead = true;
  #responseIsWritten = true;
  #discarded = 0;
  #requests = 0;
  readonly #stall: StallWatch = new StallWatch();
  #keepAlive = true;
  #isClosing = false;
  #clientEnded = false;
  /** Our FIN has left: with the client's, nothing is left to wait for. */
  #hasEnded = false;
  /** The bytes being parsed are only lent. */
  #chunkIsShared = false;
  /** What the connection has become. */
  #webSocket: WebSocketConnection | null = null;
  /** Made when a request tells of a client behind its peer. */
  #identity: ClientIdentity | null = null;
  /** Clock time of the last change of phase; with `phase` it is what timeouts are judged by. */
  since: number;
  phase: "idle" | "head" | "busy" | "linger" = "idle";
  whenClosed: (() => void) | null = null;
  readonly givesBack = true;

  constructor(open: (listener: StreamListener) => ByteStream, peer: Peer, context: EdgeContext) {
    this.#peer = peer;
    this.#context = context;
    this.since = context.clock.now();
    this.#parser = new RequestParser(context.limits, this);
    this.#stream = open(this);
    this.#writer = new Http1ResponseWriter(this.#stream, context, peer.scheme === "https");
  }

  /** Between requests, nothing received. */
  get isIdle(): boolean {
    return this.#exchange === null && this.#parser.isIdle && !this.#isClosing;
  }

  idleSince(): number | null {
    if (!this.isIdle || this.#stream.unsent > 0) return null;
    return this.since === UNNOTED ? Number.MAX_VALUE : this.since; // younger than all that the last sweep has seen
  }

  /** Ends an idle connection politely; a busy one ends after its response. */
  drain(): void {
    if (this.#webSocket !== null) return this.#webSocket.dismiss(CloseCode.serviceRestart, "");
    if (this.isIdle) this.#close();
    else this.#keepAlive = false;
  }

  /** Called now and then with the time: ends what has waited too long. */
  checkTimeouts(now: number): void {
    if (this.#webSocket !== null) return this.#webSocket.checkTimeouts(now);
    if (this.since === UNNOTED) this.since = now;
    const waited = now - this.since;
    const { keepAliveMs, headTimeoutMs, writeTimeoutMs } = this.#context;
    if (this.#stall.isStalled(this.#stream.unsent > 0, this.#stream.unsent, now, writeTimeoutMs)) {
      // A client that takes nothing of its response would keep it, and what made it, for ever.
      this.#context.onCutOff(this.#peer.address, `it took nothing for ${writeTimeoutMs / 1000} s (--write-timeout)`);
      this.#stream.destroy();
    } else if (this.phase === "idle") {
      if (waited > keepAliveMs) this.#close();
    } else if (this.phase === "head") {
      if (headTimeoutMs > 0 && waited > headTimeoutMs)
        this.reject(408, `no complete request within ${headTimeoutMs / 1000} s (--header-timeout)`);
    } else if (this.phase === "busy") {
      if (!this.#bodyIsRead) this.#intake?.checkProgress(now);
    } else if (waited > LINGER_MS && (this.#hasEnded || this.#stream.unsent === 0)) {
      this.#stream.destroy();
    }
  }

  destroy(): void {
    this.#stream.destroy();
  }

  // --- from the client

  onBytes(chunk: Buffer, isShared: boolean): void {
    if (this.#webSocket !== null) return this.#webSocket.onBytes(chunk);
    if (this.#isClosing) return;
    this.#chunkIsShared = isShared;
    this.#parser.push(chunk);
    if (isShared) {
      this.#parser.keepOwn();
      this.#chunkIsShared = false;
    }
    this.#afterParsing();
    // Pipelined requests wait in the codec while one is at work; whoever sends more than that waits in the kernel.
    if (this.#exchange !== null && this.#parser.buffered > PIPELINE_BYTES) this.#stream.pause();
  }

  #afterParsing(): void {
    const exchange = this.#exchange;
    if (exchange !== null) {
      if (!this.#bodyIsRead && exchange.state === "waiting") this.#intake?.pause();
    } else if (!this.#isClosing) this.#enter(this.#parser.isIdle ? "idle" : "head");
  }

  #enter(phase: "idle" | "head" | "busy" | "linger"): void {
    if (this.phase === phase) return;
    this.phase = phase;
    this.since = this.#context.clock.now();
  }

  onHead(head: RequestHead): void {
    const { forwarding } = this.#context;
    if (!head.headers.isForwarding || forwarding === null) return this.#begin(head, this.#peer);
    this.#identity ??= new ClientIdentity(this.#peer, forwarding);
    const identified = this.#identity.of(head);
    if (identified instanceof BadForwarding) {
      this.#parser.detach();
      return this.reject(400, identified.detail, head);
    }
    if (!this.#identity.isTrusted) this.#context.onUntrusted(this.#peer.address, head);
    this.#begin(identified.head, identified.peer);
  }

  #begin(head: RequestHead, peer: Peer): void {
    this.since = this.#context.clock.now();
    const exchange = (this.#exchange = new Exchange(head, peer, this, this.since));
    this.#intake = head.framing === "none" ? null : new RequestIntake(exchange, this.#context, this);
    this.#bodyIsRead = false;
    this.#responseIsWritten = false;
    this.#discarded = 0;
    this.#keepAlive =
      head.keepAlive && this.#context.keepAliveMs > 0 && !this.#context.isDraining && !this.#clientEnded;
    if (++this.#requests === this.#context.connectionRequests) this.#keepAlive = false;
    this.phase = "busy";
    this.#intake?.begin();
  }

  onBody(lent: Buffer): void {
    const exchange = this.#exchange;
    if (exchange === null) return; // refused
    if (this.#responseIsWritten || exchange.state === "done") {
      this.#discarded += lent.length;
      this.#intake?.skip(lent.length);
      if (this.#discarded > DISCARD_BYTES) this.#close();
      return;
    }
    this.#intake!.push(lent, this.#chunkIsShared);
  }

  onEnd(): void {
    const exchange = this.#exchange;
    if (exchange === null) return; // refused
    this.#bodyIsRead = true;
    if (this.#responseIsWritten) return this.#next();
    if (exchange.state === "done") return;
    if (this.#intake !== null) return this.#intake.end();
    exchange.body = EMPTY_BODY;
    if (exchange.head.headers.hasUpgrade && asksForWebSocket(exchange.head)) {
      // Whoever was refused may have sent frames already, which are no requests.
      if (speaksWebSocket(exchange, this.#context)) this.#keepAlive = false;
      if (!offerWebSocket(exchange, this.#context, this.#webSocketHost(), true)) return;
    }
    this.#context.submit(exchange);
  }

  #webSocketHost(): Http1WebSocketHost {
    const connection = {
      stream: this.#stream,
      address: this.#peer.address,
      switched: () => void (this.#exchange = null),
      become: (webSocket: WebSocketConnection) => {
        this.#webSocket = webSocket;
        return this.#parser.detach();
      },
    };
    return new Http1WebSocketHost(connection, this.#context);
  }

  onError(error: ProtocolError): void {
    this.reject(error.status, error.detail);
  }

  // --- for the intake

  get isBodyPaused(): boolean {
    return this.#stream.isPaused;
  }

  pauseBody(): void {
    this.#stream.pause();
  }

  resumeBody(): void {
    this.#stream.resume();
  }

  continueBody(): void {
    this.#writer.continueBody();
  }

  /** The client sent its FIN. Most mean that they are gone; a few only that they have no more to say and wait for the answer. */
  onFin(): void {
    if (this.#webSocket !== null) return this.#webSocket.onFin();
    this.#clientEnded = true;
    this.#keepAlive = false;
    if (this.#hasEnded) return this.#stream.destroy();
    const exchange = this.#exchange;
    const hasBegun = exchange !== null && this.#bodyIsRead && exchange.hasBegun;
    // Of a WSGI app the answer may still be wanted; it is told where it asks. An ASGI app hears http.disconnect at once.
    if (hasBegun && (exchange.state === "done" || !this.#context.speaksAsgi(exchange))) return exchange.halfClose();
    this.#leave();
    this.#close();
  }

  onClosed(): void {
    this.#webSocket?.onClosed();
    this.#isClosing = true;
    this.#writer.closed();
    this.#leave();
    this.whenClosed?.();
  }

  #leave(): void {
    const exchange = this.#exchange;
    if (exchange === null) return;
    this.#exchange = null;
    this.#intake?.abandon();
    if (exchange.state !== "done") {
      exchange.leave();
      if (exchange.status === 0) exchange.status = 499;
      this.#context.onDone?.(exchange);
    }
  }

  // --- to the client

  complete(exchange: Exchange, status: number, reason: string, fields: ResponseFields, body: string | Buffer): void {
    if (exchange !== this.#exchange) return;
    const { head } = exchange;
    if (fields.contentLength >= 0 && fields.contentLength !== body.length && carriesBody(status, head.method)) {
      // A broken promise takes the streamed way, which drops what is too much and cuts where something is missing.
      this.start(exchange, status, reason, fields);
      this.write(exchange, typeof body === "string" ? Buffer.from(body, "latin1") : body);
      return this.end(exchange, null);
    }
    if (this.#context.isDraining || fields.wantsClose || this.#mustClose(exchange)) this.#keepAlive = false;
    this.#writer.complete(exchange, status, reason, fields, body, this.#keepAlive);
    this.#written(exchange);
  }

  inform(exchange: Exchange, status: number, fields: ResponseFields): void {
    // An HTTP/1.0 client knows no informational responses (RFC 9110 section 15.2).
    if (exchange === this.#exchange && exchange.head.version === "1.1") this.#writer.inform(status, fields);
  }

  start(exchange: Exchange, status: number, reason: string, fields: ResponseFields): void {
    if (exchange !== this.#exchange) return;
    if (this.#context.isDraining || fields.wantsClose || this.#mustClose(exchange)) this.#keepAlive = false;
    if (this.#writer.start(exchange.head, status, reason, fields, this.#keepAlive)) this.#keepAlive = false;
  }

  write(exchange: Exchange, chunk: Buffer): void {
    if (exchange === this.#exchange && chunk.length > 0) this.#writer.write(exchange, chunk);
  }

  writeLent(exchange: Exchange, lent: Buffer): void {
    if (exchange === this.#exchange && lent.length > 0) this.#writer.writeLent(exchange, lent);
  }

  sendFile(exchange: Exchange, part: FilePart, returned: (sent: number) => void): boolean {
    return exchange === this.#exchange && this.#writer.sendFile(exchange, part, returned);
  }

  end(exchange: Exchange, trailers: ResponseFields | null): void {
    if (exchange !== this.#exchange) return;
    const { sentBytes, head } = exchange;
    const kept = this.#writer.end(trailers !== null && takesTrailers(head) ? trailers : null);
    const { difference } = this.#writer;
    if (kept === "too little") {
      this.#context.onBadLength(exchange, sentBytes + difference, sentBytes);
      return this.cut(exchange);
    }
    if (kept === "too much") this.#context.onBadLength(exchange, sentBytes, sentBytes + difference);
    this.#written(exchange);
  }

  cut(exchange: Exchange): void {
    if (exchange !== this.#exchange) return;
    this.#exchange = null;
    this.#context.onDone?.(exchange);
    this.#isClosing = true;
    // What is buffered may still be useful to the client; the end of the stream without the end of the body says that it is cut.
    this.#stream.end(() => this.#stream.destroy());
    this.#enter("linger");
  }

  /** A body that the client has announced but was never asked for makes the connection useless: nobody knows whether it comes. */
  #mustClose(exchange: Exchange): boolean {
    return exchange.head.expectsContinue && this.#intake?.hasContinued !== true && !this.#bodyIsRead;
  }

  #written(exchange: Exchange): void {
    this.#responseIsWritten = true;
    this.#context.onDone?.(exchange);
    if (!this.#keepAlive) {
      this.#exchange = null;
      this.#close();
      return;
    }
    if (this.#bodyIsRead) this.#next();
    else if (this.#stream.isPaused) this.#stream.resume(); // what is left of the body is read and thrown away
  }

  /** The client has taken its answers after all: on with what it has sent meanwhile. */
  onCaughtUp(): void {
    if (this.#exchange === null || !this.#responseIsWritten || !this.#bodyIsRead) return;
    if (this.#keepAlive) return this.#next();
    this.#exchange = null;
    this.#close();
  }

  #next(): void {
    // Who asks and does not take the answers gets no more of them: a few bytes can ask for much, and it would all wait here.
    if (this.#isClosing || this.#stream.isBehind) return;
    this.#exchange = null;
    // The sweep notes the time: reading the clock for every response costs more than half a second of precision is worth.
    this.phase = "idle";
    this.since = UNNOTED;
    if (this.#stream.isPaused) this.#stream.resume();
    this.#parser.next();
    if (this.#exchange !== null || !this.#parser.isIdle) this.#afterParsing();
  }

  /** Answers where no answer has begun, and ends the connection. `known` is the head where there is no exchange. */
  reject(status: number, detail: string, known?: RequestHead): void {
    if (this.#isClosing) return;
    this.#context.onRejected(this.#peer.address, status, detail);
    const exchange = this.#exchange ?? new Exchange(UNREADABLE, this.#peer, this, this.since);
    const hasBegun = exchange.state === "streaming" || (this.#exchange !== null && this.#responseIsWritten);
    this.#exchange = exchange;
    if (!hasBegun) {
      exchange.status = status;
      exchange.sentBytes = this.#writer.refuse(status, known ?? exchange.head, this.#parser.begun);
    }
    this.#leave();
    this.#close();
  }

  /** Our side ends; the client gets LINGER_MS to read what we said, then `checkTimeouts` destroys what is left. */
  #close(): void {
    if (this.#isClosing) return;
    this.#isClosing = true;
    this.#enter("linger");
    this.#stream.end(() => {
      this.#hasEnded = true;
      this.since = this.#context.clock.now();
      if (this.#clientEnded) this.#stream.destroy();
    });
    this.#stream.resume();
  }
}
