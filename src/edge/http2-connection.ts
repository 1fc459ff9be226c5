/**
 * One HTTP/2 client connection: the session's machine on a socket, and one Http2Stream for each request. Its beginning and end and its timeouts
 * are here; what bounds a client that works against us is in the session.
 *
 *     open ──drain──▶ told (first GOAWAY: requests under way still count) ──pong──▶ closing (second GOAWAY) ──last stream──▶ lingering
 *       ├──idle──────────────────────────────────────────────────────────────▶ closing
 *       └──the client broke the rules──────────────────────────────────────────────────────────────────────────────────────▶ lingering
 *
 * Frames written in one turn of the event loop leave in one write.
 */
import { ClientIdentity, type ForwardingPolicy } from "../http/client-identity.ts";
import type { Peer } from "../http/exchange.ts";
import { BadForwarding } from "../http/forwarded.ts";
import { glimpseOfList, UNREADABLE } from "../http/glimpse.ts";
import { badRequest, ProtocolError } from "../http/http1/protocol-error.ts";
import { ErrorCode, errorName } from "../http/http2/errors.ts";
import { Http2HeadReader } from "../http/http2/request-head.ts";
import type { RequestHead } from "../http/request-head.ts";
import { Http2Session, type SessionHandler } from "../http/http2/session.ts";
import type { Http2StreamState } from "../http/http2/stream.ts";
import type { ByteStream, StreamListener } from "../streams/byte-stream.ts";
import { type ClientConnection, LINGER_MS } from "./connection.ts";
import type { EdgeContext, Http2Settings } from "./context.ts";
import { Http2Stream, type StreamInCharge } from "./http2-stream.ts";
import { Http2WebSocket } from "./http2-web-socket.ts";
import { takesWebSockets } from "./web-socket-offer.ts";

const TOO_LARGE = new ProtocolError(
  431,
  "MAITRED_HEAD_TOO_LARGE",
  "the head is beyond the limit (--http2-max-header-list-size)",
);

/** RFC 8441 has no status for it; RFC 9220 section 3 names this one. */
const NO_SUCH_TUNNEL = new ProtocolError(
  501,
  "MAITRED_CONNECT",
  "the :protocol of an extended CONNECT is not spoken here",
);

export class Http2Connection implements ClientConnection, SessionHandler, StreamListener {
  readonly peer: Peer;
  readonly context: EdgeContext;
  /** RFC 6797 section 7.2: never on plain HTTP. */
  readonly hsts: string;
  readonly session: Http2Session;
  readonly #stream: ByteStream;
  readonly #heads: Http2HeadReader;
  /** Requests whose body is on its way, in this read. */
  unsettled: Http2Stream[] = [];
  #requests = 0;
  #identity: ClientIdentity | null = null;
  #phase: "open" | "told" | "closing" | "linger" = "open";
  /** Clock time of the last change of phase, or at which the last stream ended. */
  #since: number;
  #sweptAt: number;
  /** The head under way at the last sweep, by its number, and since when it is; -1 where none was. */
  #slowHead = -1;
  #slowHeadSince = 0;
  /** Inside `#flush`, or about to be. */
  #willFlush = false;
  /** Writes that the kernel has not taken whole, and since when it takes nothing. */
  #unsent = 0;
  #unsentSince = 0;
  whenClosed: (() => void) | null = null;

  constructor(
    open: (listener: StreamListener) => ByteStream,
    peer: Peer,
    context: EdgeContext,
    settings: Http2Settings,
  ) {
    this.peer = peer;
    this.context = context;
    this.hsts = peer.scheme === "https" ? context.hsts : "";
    this.#since = this.#sweptAt = context.clock.now();
    this.#heads = new Http2HeadReader(context.limits);
    this.session = new Http2Session({ ...settings, extendedConnect: takesWebSockets(context) }, this);
    this.#stream = open(this);
    this.#flush();
    if (context.isDraining) this.drain();
  }

  drain(): void {
    if (this.#phase !== "open") return;
    this.#enter("told");
    // RFC 9113 section 6.8: requests that are under way while GOAWAY travels must not get lost, so it is said twice, a round trip apart.
    this.session.announceEnd();
    for (const { handler } of this.session.eachStream()) (handler as StreamInCharge | null)?.drain();
    this.#flush();
  }

  idleSince(): number | null {
    return this.#phase === "open" && this.session.streams === 0 && this.#unsent === 0 ? this.#since : null;
  }

  checkTimeouts(now: number): void {
    const { session } = this;
    const { headTimeoutMs } = this.context;
    session.tick(Math.max(0, now - this.#sweptAt) / 1000);
    this.#sweptAt = now;
    const waited = now - this.#since;
    if (this.#phase === "linger") {
      if (waited > LINGER_MS) this.#stream.destroy();
      return;
    }
    if (this.#phase === "told" && waited > LINGER_MS) this.#close();
    if (this.#isHeadLate(now)) {
      // The client has to say the rest of it before anything else on the connection (RFC 9113 section 4.3).
      session.fail(ErrorCode.enhanceYourCalm, `no complete head within ${headTimeoutMs / 1000} s (--header-timeout)`);
      return;
    }
    if (session.streams === 0 && this.#phase === "open" && waited > this.context.keepAliveMs) this.#close();
    else this.#checkStreams(now);
  }

  destroy(): void {
    this.#stream.destroy();
  }

  // --- from the stream

  onBytes(chunk: Buffer): void {
    this.#willFlush = true;
    this.session.push(chunk);
    if (this.unsettled.length > 0) {
      for (const stream of this.unsettled) stream.settle();
      this.unsettled = [];
    }
    this.flushNow();
  }

  /** Nobody who speaks HTTP/2 goes on with half a connection: there are no WINDOW_UPDATEs any more. */
  onFin(): void {
    this.#stream.destroy();
  }

  onClosed(): void {
    this.session.abandon(ErrorCode.cancel);
    this.whenClosed?.();
  }

  // --- from the session

  onRequest(state: Http2StreamState, flat: readonly string[] | null): void {
    const stream = new Http2Stream(state, this);
    // The last one that is served; what is under way beyond it the client may send elsewhere.
    if (++this.#requests === this.context.connectionRequests) this.#close();
    const head = flat === null ? TOO_LARGE : this.#heads.read(flat, state.isRemoteEnded);
    if (head instanceof ProtocolError)
      return stream.refuse(head, head.status === 400 || flat === null ? UNREADABLE : glimpseOfList(flat));
    const { protocol } = this.#heads;
    if (protocol !== null && (protocol !== "websocket" || !takesWebSockets(this.context)))
      return stream.refuse(NO_SUCH_TUNNEL, head);
    const request = protocol === null ? stream : new Http2WebSocket(state, this, stream);
    const { forwarding } = this.context;
    if (head.headers.isForwarding && forwarding !== null) this.#identify(stream, request, head, forwarding);
    else request.begin(head, this.peer);
  }

  #identify(
    stream: Http2Stream,
    request: Http2Stream | Http2WebSocket,
    head: RequestHead,
    policy: ForwardingPolicy,
  ): void {
    this.#identity ??= new ClientIdentity(this.peer, policy);
    const identified = this.#identity.of(head);
    if (identified instanceof BadForwarding)
      return stream.refuse(badRequest("MAITRED_BAD_FORWARDING", identified.detail));
    if (!this.#identity.isTrusted) this.context.onUntrusted(this.peer.address, head);
    request.begin(identified.head, identified.peer);
  }

  onStreamClosed(): void {
    if (this.session.streams > 0) return;
    this.#since = this.context.clock.now();
    if (this.#phase === "closing") this.#end();
  }

  onPong(): void {
    if (this.#phase === "told") this.#close();
  }

  onGoaway(): void {
    if (this.#phase !== "linger") this.#close();
  }

  onError(code: number, detail: string): void {
    this.context.onCutOff(this.peer.address, `HTTP/2 ${errorName(code)}: ${detail}`);
    this.#end();
  }

  // --- from its streams

  /** Something was written for the client. */
  touch(): void {
    if (this.#willFlush) return;
    this.#willFlush = true;
    process.nextTick(flush, this);
  }

  flushNow(): void {
    this.#willFlush = false;
    this.#flush();
  }

  // Private

  #flush(): void {
    const { out } = this.session;
    const stream = this.#stream;
    while (out.writer.size > 0) {
      const parts = out.writer.take();
      const last = parts.length - 1;
      this.#unsent++;
      if (last > 0) stream.cork();
      for (let i = 0; i < last; i++) stream.writeBytes(parts[i]!, null);
      stream.writeBytes(parts[last]!, this.#sent);
      if (last > 0) stream.uncork();
      if (this.#unsent > 0 && !out.isBlocked) {
        out.isBlocked = true;
        this.#unsentSince = this.context.clock.now();
      }
      // More than one turn's budget waits, and the kernel has taken that.
      if (out.isWaiting) out.pump();
    }
  }

  /** The kernel has taken a write whole. */
  readonly #sent = (): void => {
    const { out } = this.session;
    this.#unsentSince = this.context.clock.now();
    if (--this.#unsent > 0 || !out.isBlocked) return;
    out.isBlocked = false;
    out.pump();
    if (out.writer.size > 0) this.touch();
  };

  #enter(phase: "told" | "closing" | "linger"): void {
    this.#phase = phase;
    this.#since = this.context.clock.now();
  }

  /** No new requests; those at work finish. */
  #close(): void {
    if (this.#phase === "closing" || this.#phase === "linger") return;
    this.#enter("closing");
    this.session.refuseNew();
    if (this.session.streams === 0) this.#end();
    else this.touch();
  }

  /** Our side ends; the client gets LINGER_MS to read what we said. */
  #end(): void {
    if (this.#phase === "linger") return;
    this.#enter("linger");
    this.#flush();
    this.#stream.end(() => {});
  }

  /** Asked at each sweep. */
  #isHeadLate(now: number): boolean {
    const { heads, isWithinHead } = this.session;
    if (!isWithinHead) this.#slowHead = -1;
    else if (heads !== this.#slowHead) {
      this.#slowHead = heads;
      this.#slowHeadSince = now;
    }
    if (this.#slowHead === -1) return false;
    const { headTimeoutMs } = this.context;
    return headTimeoutMs > 0 && now - this.#slowHeadSince > headTimeoutMs;
  }

  #checkStreams(now: number): void {
    const { writeTimeoutMs } = this.context;
    if (this.#unsent > 0 && writeTimeoutMs > 0 && now - this.#unsentSince > writeTimeoutMs) {
      this.#cutOff(`it took nothing for ${writeTimeoutMs / 1000} s (--write-timeout)`);
      this.#stream.destroy();
      return;
    }
    for (const stream of this.session.eachStream()) {
      const handler = stream.handler as StreamInCharge | null;
      if (handler === null) continue;
      handler.checkTimeouts(now);
      if (writeTimeoutMs === 0 || !handler.isStalled(now, writeTimeoutMs)) continue;
      this.#cutOff(`it opened no window for a response for ${writeTimeoutMs / 1000} s (--write-timeout)`);
      this.session.reset(stream, ErrorCode.cancel);
      handler.onReset(ErrorCode.cancel);
    }
    this.#flush();
  }

  #cutOff(detail: string): void {
    this.context.onCutOff(this.peer.address, `HTTP/2: ${detail}`);
  }
}

function flush(connection: Http2Connection): void {
  connection.flushNow();
}
