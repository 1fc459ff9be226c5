/**
 * One request on its way to an upstream, and its response on the way back.
 *
 *     begin ─▶ waits for a connection ─▶ sent ─▶ head ─▶ body … ─▶ end ─▶ connection given back
 *                                          └──── lost, and safe to repeat ─▶ sent again, once, on a fresh connection
 *
 * Flow control: the body of the request is taken as the upstream's socket has room (upload.ts); of the response at most HIGH_WATER bytes stand
 * between here and the client, then the upstream's socket is not read. The exchange may be over at any moment: then the connection is cut.
 * A response that cannot be whole is cut, one that has not begun becomes 502 or 504, and the log says why.
 */
import { createHash, randomBytes } from "node:crypto";
import { createReadStream } from "node:fs";
import type { Duplex, Readable } from "node:stream";
import type { Dispatcher } from "undici";
import type { Clock, Timer } from "../clock.ts";
import type { UpstreamPlan } from "../config/sites/upstream.ts";
import { answerError, failureOutcome } from "../http/error-response.ts";
import type { Exchange } from "../http/exchange.ts";
import { carriesBody } from "../http/http1/response-head.ts";
import { requestName } from "../http/request-name.ts";
import { BadField, type ResponseFields } from "../http/response-fields.ts";
import { CloseCode } from "../http/web-socket.ts";
import { KEY_SUFFIX } from "../http/websocket/handshake.ts";
import type { Log } from "../telemetry/log.ts";
import type { Connection, Connections, Waiter } from "./connections.ts";
import { type Failure, failureOf } from "./failure.ts";
import { handshakeFields, readAcceptance } from "./handshake.ts";
import { relocate } from "./relocation.ts";
import { responseHead, responseTrailers } from "./response-head.ts";
import { maySendAgain } from "./send-again.ts";
import { Upload } from "./upload.ts";
import { UpstreamWebSocket } from "./upstream-web-socket.ts";

/** Bytes of a response that the client has not taken, above which the upstream's socket is not read, and below which it is again. */
const HIGH_WATER = 262_144;
const LOW_WATER = 131_072;

/** What all requests to one upstream share. */
export interface UpstreamHouse {
  readonly plan: UpstreamPlan;
  readonly connections: Connections;
  readonly clock: Clock;
  readonly log: Log;
}

export class UpstreamRequest implements Dispatcher.DispatchHandler, Waiter {
  readonly #exchange: Exchange;
  readonly #house: UpstreamHouse;
  readonly #target: string;
  readonly #fields: readonly string[];
  #connection: Connection | null = null;
  /** Sec-WebSocket-Key, where the request is a handshake. */
  #key = "";
  #controller: Dispatcher.DispatchController | null = null;
  #upload: Readable | null = null;
  #attempts = 0;
  /** Of the present attempt: it has been written to a connection, which had carried others before. */
  #isSent = false;
  #wasReused = false;
  /** Bytes of the response have come. */
  #hasBegun = false;
  /** The end of the response's body is the end of the connection. */
  #endsWithConnection = false;
  /** Given to the client and not taken. */
  #untaken = 0;
  #isPaused = false;
  #isOver = false;
  /** The route's own limit of time, until the response begins. */
  #limit: Timer | null = null;

  constructor(exchange: Exchange, house: UpstreamHouse, target: string, fields: readonly string[]) {
    this.#exchange = exchange;
    this.#house = house;
    this.#target = target;
    this.#fields = fields;
  }

  begin(): void {
    const exchange = this.#exchange;
    exchange.state = "given";
    exchange.onGone = () => {
      if (exchange.state === "done") this.#giveUp();
    };
    if (exchange.timeoutMs > 0) this.#limitTime(exchange.timeoutMs);
    this.#take(false);
  }

  // --- from the connections

  granted(connection: Connection): void {
    this.#connection = connection;
    this.#attempts++;
    this.#isSent = false;
    const { plan, connections } = this.#house;
    const { head, webSocket } = this.#exchange;
    const options = {
      path: this.#target,
      // In HTTP/2 a handshake is a CONNECT (RFC 8441 section 4).
      method: webSocket === null ? head.method : "GET",
      headers: this.#headers(),
      body: this.#body(),
      upgrade: webSocket === null ? null : "websocket",
      headersTimeout: plan.responseTimeoutMs,
      bodyTimeout: plan.idleTimeoutMs,
      // Else the library asks for the name in Host, which is the client's word.
      servername: connections.serverName,
    };
    connection.client.dispatch(options, this);
  }

  refused(): void {
    const { maxConnections } = this.#house.plan;
    this.#fail({
      status: 503,
      reason: `none of its ${maxConnections} connections is free (max-connections)`,
      isLoss: false,
    });
  }

  // --- from the client library

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#isOver) return controller.abort(new Error("the client has left"));
    this.#isSent = true;
    this.#wasReused = this.#connection!.requests++ > 0;
  }

  /** The upstream has accepted the WebSocket: the socket is ours. Everything else it may answer is an ordinary response, which refuses it. */
  onRequestUpgrade(
    controller: Dispatcher.DispatchController,
    _status: number,
    _headers: unknown,
    socket: Duplex,
  ): void {
    // Without this one a reset would end the process.
    socket.on("error", () => {});
    const exchange = this.#exchange;
    const { webSocket } = exchange;
    if (this.#isOver || webSocket === null) return void socket.destroy();
    const fields = this.#responseFields(controller);
    if (fields instanceof BadField) {
      socket.destroy();
      return this.#failBadField(fields);
    }
    const digest = createHash("sha1")
      .update(this.#key + KEY_SUFFIX)
      .digest("base64");
    const acceptance = readAcceptance(fields.flat, digest, webSocket.subprotocols);
    if (acceptance.type === "wrong") {
      socket.destroy();
      return this.#fail({ status: 502, reason: acceptance.reason, isLoss: false });
    }
    this.#isOver = true;
    this.#limit?.cancel();
    exchange.onGone = null;
    // The place among the connections is taken for as long as the socket is open.
    const connection = this.#connection!;
    const { connections, clock, log, plan } = this.#house;
    const app = new UpstreamWebSocket(socket, webSocket.client, clock, {
      onOver: () => connections.discard(connection),
      onBroken: (reason) => log.error(`${requestName(exchange)}: upstream ${plan.url}: it ${reason}; closed with 1011`),
    });
    webSocket.app = app;
    if (!exchange.accept(acceptance.subprotocol, fields)) app.closed(CloseCode.lost, "");
  }

  onResponseStarted(): void {
    this.#hasBegun = true;
  }

  onResponseStart(controller: Dispatcher.DispatchController, status: number, _headers: unknown, reason = ""): void {
    if (this.#isOver) return;
    const exchange = this.#exchange;
    const fields = this.#responseFields(controller);
    if (fields instanceof BadField) return this.#failBadField(fields);
    if (status < 200) return exchange.inform(status, fields);
    this.#limit?.cancel();
    if (!carriesBody(status, exchange.head.method)) return exchange.complete(status, reason, fields, "");
    this.#endsWithConnection = fields.contentLength === -1 && !isChunked(controller.rawHeaders);
    exchange.onSent = (bytes) => this.#sent(bytes);
    exchange.start(status, reason, fields);
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#isOver || this.#exchange.state !== "streaming") return;
    this.#untaken += chunk.length;
    this.#exchange.write(chunk);
    if (this.#untaken <= HIGH_WATER || this.#isPaused) return;
    this.#isPaused = true;
    controller.pause();
  }

  onResponseEnd(controller: Dispatcher.DispatchController): void {
    if (this.#isOver) return;
    const connection = this.#connection!;
    // A reset may have thrown away the rest, and nothing else would tell that it is missing.
    if (this.#endsWithConnection && connection.error !== null)
      return this.onResponseError(controller, connection.error);
    this.#isOver = true;
    this.#connection = null;
    this.#house.connections.giveBack(connection);
    this.#exchange.end(responseTrailers(buffers(controller.rawTrailers)));
  }

  onResponseError(_controller: Dispatcher.DispatchController | null, error: Error): void {
    if (this.#isOver) return;
    const failure = failureOf(error);
    if (!this.#mayRepeat(failure)) return this.#fail(failure);
    this.#drop();
    this.#take(true);
  }

  // Private

  /** The time of the client's upload does not count, as with an app. */
  #limitTime(timeoutMs: number): void {
    this.#limit = this.#house.clock.after(timeoutMs, () => {
      const { stream } = this.#exchange;
      if (stream !== null && !stream.isEnded) return this.#limitTime(timeoutMs);
      this.#fail({ status: 504, reason: `no response within ${timeoutMs / 1000} s (timeout)`, isLoss: false });
    });
  }

  #take(isFresh: boolean): void {
    const { connections } = this.#house;
    const connection = connections.take(isFresh);
    if (connection === null) connections.wait(this);
    else this.granted(connection);
  }

  #headers(): string[] {
    const { head, stream, bodyFile, bodyFileBytes, webSocket } = this.#exchange;
    if (webSocket !== null) {
      this.#key = randomBytes(16).toString("base64");
      return handshakeFields(this.#fields, this.#key);
    }
    if (bodyFile !== null) return [...this.#fields, "Content-Length", String(bodyFileBytes)];
    if (stream !== null && head.framing === "length")
      return [...this.#fields, "Content-Length", String(head.contentLength)];
    return [...this.#fields];
  }

  /** Made anew for each attempt. */
  #body(): Buffer | Readable | null {
    const { stream, bodyFile, body, head } = this.#exchange;
    if (bodyFile !== null) this.#upload = createReadStream(bodyFile);
    else if (stream !== null) this.#upload = new Upload(stream, head.expectsContinue);
    else return body;
    // The library hears it, and says it by onResponseError.
    this.#upload.on("error", () => {});
    return this.#upload;
  }

  #responseFields({ rawHeaders }: Dispatcher.DispatchController): ResponseFields | BadField {
    const { plan } = this.#house;
    const { peer, head } = this.#exchange;
    return responseHead(buffers(rawHeaders), (location) =>
      relocate(location, plan, peer.scheme, head.headers.get("host") ?? ""),
    );
  }

  #mayRepeat({ isLoss }: Failure): boolean {
    return (
      isLoss &&
      this.#attempts === 1 &&
      !this.#hasBegun &&
      !(this.#upload instanceof Upload && this.#upload.hasTaken) &&
      maySendAgain(this.#exchange.head.method, this.#isSent, this.#wasReused)
    );
  }

  #sent(bytes: number): void {
    this.#untaken -= bytes;
    if (!this.#isPaused || this.#untaken > LOW_WATER || this.#isOver) return;
    this.#isPaused = false;
    // Not at once: we may be in the midst of what the library reads for another request.
    queueMicrotask(() => {
      if (!this.#isOver) this.#controller?.resume();
    });
  }

  /** The client has left, or somebody else has answered it. */
  #giveUp(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#house.connections.withdraw(this);
    this.#drop();
  }

  #failBadField({ name, reason }: BadField): void {
    this.#fail({ status: 502, reason: `its field ${JSON.stringify(name)}: ${reason}`, isLoss: false });
  }

  #fail(failure: Failure): void {
    this.#isOver = true;
    this.#house.connections.withdraw(this);
    this.#drop();
    const exchange = this.#exchange;
    // What is over already (a whole answer to HEAD) has lost nothing.
    if (exchange.state === "done") return;
    const { status, reason } = failure;
    this.#house.log.error(
      `${requestName(exchange)}: upstream ${this.#house.plan.url}: ${reason}; ${failureOutcome(exchange, status)}`,
    );
    answerError(exchange, status);
  }

  #drop(): void {
    if (this.#isOver) this.#limit?.cancel();
    this.#controller = null;
    this.#upload?.destroy();
    this.#upload = null;
    const connection = this.#connection;
    if (connection === null) return;
    this.#connection = null;
    this.#house.connections.discard(connection);
  }
}

function buffers(raw: Dispatcher.DispatchController["rawHeaders"]): readonly Buffer[] {
  return Array.isArray(raw) ? (raw as Buffer[]) : [];
}

function isChunked(raw: Dispatcher.DispatchController["rawHeaders"]): boolean {
  const all = buffers(raw);
  for (let i = 0; i < all.length; i += 2)
    if (all[i]!.length === 17 && all[i]!.toString("latin1").toLowerCase() === "transfer-encoding") return true;
  return false;
}
