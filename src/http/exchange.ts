/**
 * One request, its response, and what stands between: the type that travels through the house.
 *
 * The edge makes it and implements its `sink`. The dispatcher queues it and gives it to a seat; the seat answers through it. Whoever is about to
 * spend work on it looks at `state`: a client that left makes it `done` at once.
 *
 *     waiting ──▶ queued ──▶ given ──▶ streaming ──▶ done
 *        └──────────┴──────────┴──────────────────────▲      a complete answer, an error answer, or the client gone
 *
 * A plain class with public fields: it is made once per request on the hot path.
 */
import type { RequestBody } from "./request-body.ts";
import type { RequestHead } from "./request-head.ts";
import type { ResponseFields } from "./response-fields.ts";
import { CloseCode, type WebSocketChannel } from "./web-socket.ts";

/** What a TLS handshake agreed on, as the ASGI `tls` extension names it. */
export interface TlsDetails {
  /** The IANA number of the version: 0x0303 is TLS 1.2, 0x0304 TLS 1.3. */
  readonly version: number;
  /** The cipher suite's OpenSSL name. */
  readonly cipher: string;
  /** What SNI asked for; empty where it did not. */
  readonly serverName: string;
  /** PEM of the client's certificate and its chain, leaf first; empty where it sent none. */
  readonly clientChain: readonly string[];
  /** RFC 4514 name of the client certificate's subject; empty where it sent none. */
  readonly clientName: string;
  /** Why the client's certificate was not believed (it was asked for, not demanded); empty where it was, or there is none. */
  readonly clientError: string;
}

/**
 * Who connected, and through which door; where a trusted proxy told, the client that it speaks for. One object per connection (behind a proxy per
 * client on it), shared by its exchanges.
 */
export class Peer {
  /** IP address, or empty for a Unix socket. */
  readonly address: string;
  readonly port: number;
  /** The listener's own name and port, for SERVER_NAME and SERVER_PORT. */
  readonly serverName: string;
  readonly serverPort: number;
  readonly scheme: "http" | "https";
  /** What TLS agreed on; null on a plain connection. */
  readonly tls: TlsDetails | null;
  /** Path that a proxy has taken from the front of the target: the first part of SCRIPT_NAME. */
  readonly prefix: string;
  /** IP address of the trusted proxy that speaks for this client, or empty for a Unix socket; null where the client is the connection's own peer. */
  readonly proxyAddress: string | null;
  /** The wire's encoded form, kept here by the wire. */
  encoded: Buffer | null = null;
  /** The encoder whose form that is (a reload can bring another). */
  encodedFor: object | null = null;

  constructor(
    address: string,
    port: number,
    serverName: string,
    serverPort: number,
    scheme: "http" | "https",
    tls: TlsDetails | null = null,
    prefix: string = "",
    proxyAddress: string | null = null,
  ) {
    this.address = address;
    this.port = port;
    this.serverName = serverName;
    this.serverPort = serverPort;
    this.scheme = scheme;
    this.tls = tls;
    this.prefix = prefix;
    this.proxyAddress = proxyAddress;
  }

  /** A trusted proxy speaks for it: the address is not that of the connection. */
  get isSpokenFor(): boolean {
    return this.proxyAddress !== null;
  }
}

/** CGI's REMOTE_USER and AUTH_TYPE (RFC 3875 sections 4.1.11 and 4.1.1). */
export interface AuthenticatedUser {
  readonly name: string;
  readonly scheme: string;
}

/** A part of an open file. */
export interface FilePart {
  readonly descriptor: number;
  readonly start: number;
  readonly length: number;
}

/** Takes the response to the client; implemented by the edge for each protocol. All methods are synchronous and never throw. */
export interface ResponseSink {
  /** A whole response. `body` as a string is latin-1: one character per byte. */
  complete(exchange: Exchange, status: number, reason: string, fields: ResponseFields, body: string | Buffer): void;
  /** The head of a streamed response. */
  start(exchange: Exchange, status: number, reason: string, fields: ResponseFields): void;
  /** An informational response (1xx), before the response's head; a client that cannot take it does not get it. */
  inform(exchange: Exchange, status: number, fields: ResponseFields): void;
  /** A piece of a streamed response. What a slow client has taken is told by `exchange.onSent`. */
  write(exchange: Exchange, chunk: Buffer): void;
  /** As `write`, of bytes that are only valid during the call. */
  writeLent?(exchange: Exchange, lent: Buffer): void;
  /** The streamed response is complete. `trailers` are dropped where the client or the framing cannot take them (RFC 9110 section 6.5.1). */
  end(exchange: Exchange, trailers: ResponseFields | null): void;
  /** The streamed response cannot be completed: cut the connection so that nobody takes it for whole. */
  cut(exchange: Exchange): void;
  /** A written piece is nobody's any more once `exchange.onSent` has counted all of it: its bytes may be changed then. */
  readonly givesBack?: boolean;
  /**
   * Sends a part of a file as a piece of a streamed response, where that can be done without reading it here; else false. `returned` is called once, and
   * later: so many bytes were sent, perhaps fewer than the part has; -1: nobody knows how many. The descriptor stays open until then.
   */
  sendFile?(exchange: Exchange, part: FilePart, returned: (sent: number) => void): boolean;
}

/** Stands between the worker and the sink of a streamed response whose client is slow; it ends the exchange itself when all has gone on. */
export interface ResponseRelay {
  /** The bytes are only valid during the call. */
  write(lent: Buffer): void;
  end(trailers: ResponseFields | null): void;
  /** The exchange is over: nothing of it is wanted any more. */
  close(): void;
}

/** `waiting`: for the rest of its request. `queued`: for a seat, or for a stage that will pass it on later. */
export type ExchangeState = "waiting" | "queued" | "given" | "streaming" | "done";

/** What the dispatcher learns about a kind of request: how long it keeps a seat. */
export interface ServiceTimes {
  /** Moving average and mean deviation of the service time, in milliseconds. */
  meanMs: number;
  deviationMs: number;
}

/**
 * Changes the fields of a response on its way to the client. The same object again for the same fields, where it can: codecs keep what they have made
 * of it.
 */
export type Dressing = (exchange: Exchange, status: number, fields: ResponseFields) => ResponseFields;

export class Exchange {
  /** A stage may put another in its place before it passes the exchange on, with other fields, path or query; all else stays as the client sent it. */
  head: RequestHead;
  readonly peer: Peer;
  readonly sink: ResponseSink;
  /** Clock milliseconds at which the request's head was complete. */
  readonly receivedAt: number;
  state: ExchangeState = "waiting";
  /** The complete body, or null while it is streamed through `stream`. */
  body: Buffer | null = null;
  stream: RequestBody | null = null;
  /** Path of a file that holds the complete body, which was too large for memory. */
  bodyFile: string | null = null;
  bodyFileBytes = 0;
  /** Called once the exchange is over and no worker has it any more: what only a worker needed (the body's file) may go. */
  whenSettled: (() => void) | null = null;
  /** The exchange that stands for this one on its way to a handler (passing.ts); null where it goes itself. */
  inner: Exchange | null = null;
  /** What its response's fields pass (response-changes.ts); null where they go as they are. */
  dressing: Dressing | null = null;
  /** Called when it is over: answered, cut, or its client gone. A worker may still have it. */
  whenOver: (() => void) | null = null;
  /** Who the client has proved to be, for the app and the log; null where nobody has asked. */
  user: AuthenticatedUser | null = null;
  /** Its response is an error that maitred made itself (error-response.ts). */
  isOwnError = false;
  /** Names it in answers and logs; empty where nobody has given it a name. */
  requestId = "";
  /** The WebSocket that this request's handshake offers, or that it has become. */
  webSocket: WebSocketChannel | null = null;

  /** Milliseconds that it may be at work, set by a stage before it is dispatched: 0 = any time, -1 = as its pool says. */
  timeoutMs = -1;

  // The dispatcher's notes.
  queuePrevious: Exchange | null = null;
  queueNext: Exchange | null = null;
  queuedAt = 0;
  givenAt = 0;
  /** Its response's HEAD has come: it is streamed. */
  hasHead = false;
  /** Times it was given to a seat that may have begun it. */
  attempts = 0;
  times: ServiceTimes | null = null;
  /** Known to keep a seat much longer than others do: it may not take the last free seat. */
  isSlow = false;
  /** The seat that has it, and its slot and sequence number there. */
  seat: unknown = null;
  slot = -1;
  sequence = 0;
  /** The app has asked for more time, or waits for its client: --timeout does not end it before this clock time. */
  dueAt = 0;
  /** Clock time at which its client left while it was at work; 0 = it has not. */
  leftAt = 0;

  // For the access log.
  status = 0;
  sentBytes = 0;
  /** Response bytes taken from the worker that the client has not taken yet. */
  bufferedBytes = 0;
  workerPid = 0;
  responseFields: ResponseFields | null = null;
  relay: ResponseRelay | null = null;

  /** Whoever has it: called when the client left before the response was complete; with the exchange not done, when it sent its FIN. */
  onGone: ((exchange: Exchange) => void) | null = null;
  /** The seat: called with the number of response bytes that have gone on towards the client. */
  onSent: ((bytes: number) => void) | null = null;

  constructor(head: RequestHead, peer: Peer, sink: ResponseSink, receivedAt: number) {
    this.head = head;
    this.peer = peer;
    this.sink = sink;
    this.receivedAt = receivedAt;
  }

  /** Answers with a whole response; ignored when the exchange is over already (client gone, deadline). */
  complete(status: number, reason: string, fields: ResponseFields, body: string | Buffer): void {
    if (this.state === "done") return;
    this.state = "done";
    this.status = status;
    const dressed = this.dressing === null ? fields : this.dressing(this, status, fields);
    this.responseFields = dressed;
    this.sink.complete(this, status, reason, dressed, body);
    if (this.whenOver !== null) this.#over();
    if (this.whenSettled !== null) this.#settle();
  }

  /** The app accepts the WebSocket that the request offers. False where nobody waits for that any more. */
  accept(subprotocol: string | null, fields: ResponseFields): boolean {
    if (this.state !== "given" || this.webSocket === null) return false;
    this.state = "streaming";
    this.status = 101;
    const dressed = this.dressing === null ? fields : this.dressing(this, 101, fields);
    this.responseFields = dressed;
    this.webSocket.client.accept(subprotocol, dressed);
    return true;
  }

  /** Whoever answers it may have begun: it waits neither for its body nor for a seat. */
  get hasBegun(): boolean {
    if (this.inner !== null && this.state !== "done") return this.inner.hasBegun;
    return this.state !== "waiting" && this.state !== "queued";
  }

  /** The app has accepted the WebSocket, and it is not over. */
  get isWebSocketOpen(): boolean {
    return this.state === "streaming" && this.webSocket !== null && this.webSocket.app !== null;
  }

  /** The WebSocket is over: nothing is left to be said to the client. */
  finish(): void {
    this.state = "done";
    if (this.whenOver !== null) this.#over();
    if (this.whenSettled !== null) this.#settle();
  }

  /** Begins a streamed response. */
  start(status: number, reason: string, fields: ResponseFields): void {
    if (this.state === "done") return;
    this.state = "streaming";
    this.status = status;
    const dressed = this.dressing === null ? fields : this.dressing(this, status, fields);
    this.responseFields = dressed;
    this.sink.start(this, status, reason, dressed);
  }

  /** A piece of a streamed response. */
  write(chunk: Buffer): void {
    if (this.state !== "streaming") return;
    if (this.relay === null) this.sink.write(this, chunk);
    else this.relay.write(chunk);
  }

  /** As `write`, of bytes that are only valid during the call. */
  writeLent(lent: Buffer): void {
    if (this.state !== "streaming") return;
    if (this.relay !== null) this.relay.write(lent);
    else if (this.sink.writeLent === undefined) this.sink.write(this, Buffer.from(lent));
    else this.sink.writeLent(this, lent);
  }

  /** A part of a file as a piece of a streamed response, without its bytes passing through here; false where that cannot be. See ResponseSink. */
  sendFile(part: FilePart, returned: (sent: number) => void): boolean {
    if (this.state !== "streaming" || this.relay !== null || this.sink.sendFile === undefined) return false;
    return this.sink.sendFile(this, part, returned);
  }

  /** An informational response (103 Early Hints); ignored once the response has begun. */
  inform(status: number, fields: ResponseFields): void {
    if (this.state === "given") this.sink.inform(this, status, fields);
  }

  /** Ends a streamed response. */
  end(trailers: ResponseFields | null = null): void {
    if (this.state !== "streaming") return;
    if (this.relay !== null) return this.relay.end(trailers);
    this.state = "done";
    this.sink.end(this, trailers);
    if (this.whenOver !== null) this.#over();
    if (this.whenSettled !== null) this.#settle();
  }

  /** Gives up a response that has begun: the client's connection is cut. */
  cut(): void {
    if (this.state !== "streaming") return;
    const isOpen = this.isWebSocketOpen;
    this.state = "done";
    if (isOpen) this.webSocket?.client.close(CloseCode.internalError, "");
    else {
      this.#dropRelay();
      this.sink.cut(this);
    }
    if (this.whenOver !== null) this.#over();
    if (this.whenSettled !== null) this.#settle();
  }

  /** The edge: the client sent its FIN after a whole request. It may still want the answer; most are gone. */
  halfClose(): void {
    if (this.state === "given" || this.state === "streaming") this.onGone?.(this);
  }

  /** The edge: the client left. Whoever has the exchange hears it at once. */
  leave(): void {
    if (this.state === "done") return;
    this.state = "done";
    this.#dropRelay();
    this.onGone?.(this);
    if (this.whenOver !== null) this.#over();
    if (this.whenSettled !== null) this.#settle();
  }

  #dropRelay(): void {
    this.relay?.close();
    this.relay = null;
  }

  /** No worker has it any more: finished, handed back, or lost with its worker. */
  release(): void {
    this.slot = -1;
    if (this.whenSettled !== null) this.#settle();
  }

  #over(): void {
    const { whenOver } = this;
    this.whenOver = null;
    whenOver?.();
  }

  #settle(): void {
    if (this.state !== "done" || this.slot >= 0) return;
    const { whenSettled } = this;
    this.whenSettled = null;
    whenSettled?.();
  }
}
