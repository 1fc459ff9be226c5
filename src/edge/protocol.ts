/**
 * Which HTTP a client speaks: what ALPN agreed on, or, on a plain connection, whether its first bytes are HTTP/2's connection preface ("prior
 * knowledge", RFC 9113 section 3.3). `Upgrade: h2c` is obsolete (section 3.1) and ignored.
 *
 *     TLS:    ALPN "h2" ──▶ HTTP/2      anything else ──▶ HTTP/1.1
 *     plain:  first bytes ──▶ all of the preface ──▶ HTTP/2
 *                         ──▶ its beginning ──▶ wait for more
 *                         ──▶ anything else ──▶ HTTP/1.1
 */
import type { Socket } from "node:net";
import type { Peer } from "../http/exchange.ts";
import { PREFACE } from "../http/http2/frames.ts";
import type { ByteStream, StreamListener } from "../streams/byte-stream.ts";
import { directStream } from "../streams/direct-stream.ts";
import { type ClientConnection, LINGER_MS } from "./connection.ts";
import type { EdgeContext } from "./context.ts";
import { Http1Connection } from "./http1-connection.ts";
import { Http2Connection } from "./http2-connection.ts";

const PREFACE_BYTES = Buffer.from(PREFACE, "latin1");

type Became = (before: ClientConnection, now: ClientConnection) => void;
type Open = (listener: StreamListener) => ByteStream;

/** What to offer a TLS client in ALPN (RFC 7301), by preference. */
export function alpnProtocols(context: EdgeContext): string[] {
  return context.http2 === null ? ["http/1.1"] : ["h2", "http/1.1"];
}

/**
 * The connection for a socket whose TLS handshake, if any, is over.
 * @param became called at most once, when a connection that had not said what it speaks is replaced by one of the kind it turned out to be.
 */
export function greet(socket: Socket, peer: Peer, context: EdgeContext, became: Became): ClientConnection {
  const { http2 } = context;
  const open: Open = (listener) => directStream(socket, listener);
  const { alpnProtocol } = socket as { alpnProtocol?: string | false | null };
  if (alpnProtocol !== undefined) {
    if (http2 !== null && alpnProtocol === "h2") return new Http2Connection(open, peer, context, http2);
    return new Http1Connection(open, peer, context);
  }
  if (http2 === null || !http2.cleartext) return new Http1Connection(open, peer, context);
  return new UndecidedConnection(open, peer, context, became);
}

/** A plain connection that has not said yet what it speaks. */
export class UndecidedConnection implements ClientConnection, StreamListener {
  readonly #stream: ByteStream;
  readonly #peer: Peer;
  readonly #context: EdgeContext;
  readonly #became: Became;
  #since: number;
  #isEnding = false;
  /** The beginning of the preface, where that is all that came. */
  #received: Buffer | null = null;
  whenClosed: (() => void) | null = null;

  constructor(open: Open, peer: Peer, context: EdgeContext, became: Became) {
    this.#peer = peer;
    this.#context = context;
    this.#became = became;
    this.#since = context.clock.now();
    this.#stream = open(this);
  }

  drain(): void {
    if (this.#received === null) this.#end();
  }

  idleSince(): number | null {
    return this.#received === null && !this.#isEnding ? this.#since : null;
  }

  checkTimeouts(now: number): void {
    const waited = now - this.#since;
    if (this.#isEnding) {
      if (waited > LINGER_MS) this.#stream.destroy();
    } else if (this.#received === null) {
      if (waited > this.#context.keepAliveMs) this.#end();
    } else {
      const { headTimeoutMs } = this.#context;
      if (headTimeoutMs === 0 || waited <= headTimeoutMs) return;
      const detail = `no complete request within ${headTimeoutMs / 1000} s (--header-timeout)`;
      this.#context.onCutOff(this.#peer.address, detail);
      this.#stream.destroy();
    }
  }

  destroy(): void {
    this.#stream.destroy();
  }

  onBytes(chunk: Buffer, isShared: boolean): void {
    if (this.#isEnding) return;
    const bytes = this.#received === null ? chunk : Buffer.concat([this.#received, chunk]);
    const length = Math.min(bytes.length, PREFACE_BYTES.length);
    // Nearly always the first byte tells.
    if (bytes[0] !== PREFACE_BYTES[0] || bytes.compare(PREFACE_BYTES, 0, length, 0, length) !== 0) {
      this.#become(new Http1Connection(this.#hand, this.#peer, this.#context), bytes, isShared);
    } else if (length < PREFACE_BYTES.length) {
      if (this.#received === null) this.#since = this.#context.clock.now();
      this.#received = Buffer.from(bytes);
    } else
      this.#become(new Http2Connection(this.#hand, this.#peer, this.#context, this.#context.http2!), bytes, isShared);
  }

  /** FIN before anything that makes sense. */
  onFin(): void {
    this.#stream.destroy();
  }

  onClosed(): void {
    this.whenClosed?.();
  }

  #become(connection: ClientConnection & StreamListener, bytes: Buffer, isShared: boolean): void {
    this.#became(this, connection);
    connection.onBytes(bytes, isShared && this.#received === null);
  }

  readonly #hand: Open = (listener) => {
    this.#stream.handTo(listener);
    return this.#stream;
  };

  #end(): void {
    this.#since = this.#context.clock.now();
    this.#isEnding = true;
    this.#stream.end(() => {});
  }
}
