/**
 * A connection on a TLS address from its first byte to the end of its handshake. Ends in exactly one way: handed on as a secure socket, or
 * closed with the reason told.
 *
 *     first byte ─▶ 0x16: the handshake ─▶ secure ─▶ handed on
 *         └──▶ plain HTTP: a readable 400            everything else, and whatever takes too long, is closed
 */
import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import type { Clock } from "../../clock.ts";
import type { Peer } from "../../http/exchange.ts";
import type { ClientConnection } from "../connection.ts";

/** What the handshakes of one door have in common. */
export interface HandshakeRules {
  readonly clock: Clock;
  readonly timeoutMs: number;
  /** The first byte is there, and put back: TLS may begin. */
  begin(handshake: TlsHandshake): void;
  /** Why it failed. `isNews` is false for what every port scan and health check does. */
  failed(address: string, reason: string, isNews: boolean): void;
  /** The whole answer to plain HTTP. */
  readonly plainHttpAnswer: string;
}

/** The content type of a handshake record (RFC 8446 section 5.1), a TLS connection's first byte. */
const HANDSHAKE_RECORD = 0x16;

/**
 * TLS takes what was put back with `read`, and keeps buffers for what it takes: one of 1 KiB until a piece fills it, and 16 KiB more from then on
 * (`NodeBIO` in node's src/crypto/crypto_bio.cc). A ClientHello is longer than that, so it is given in pieces; most requests that follow are not.
 */
const PIECE_BYTES = 1000;

function destroyIt(this: Socket): void {
  this.destroy();
}

function readPiece(this: Socket, size?: number): unknown {
  const plain = Object.getPrototypeOf(this) as Socket;
  return plain.read.call(this, size ?? (Math.min(PIECE_BYTES, this.readableLength) || undefined)) as unknown;
}

export class TlsHandshake implements ClientConnection {
  readonly raw: Socket;
  readonly peer: Peer;
  readonly #rules: HandshakeRules;
  readonly #since: number;
  readonly #onSecure: (socket: TLSSocket, handshake: TlsHandshake) => void;
  whenClosed: (() => void) | null = null;
  #phase: "silent" | "shaking" | "over" = "silent";

  constructor(
    raw: Socket,
    peer: Peer,
    rules: HandshakeRules,
    onSecure: (socket: TLSSocket, handshake: TlsHandshake) => void,
  ) {
    this.raw = raw;
    this.peer = peer;
    this.#rules = rules;
    this.#onSecure = onSecure;
    this.#since = rules.clock.now();
    raw.on("error", destroyIt);
    raw.once("close", this.#closed);
    raw.once("end", this.#ended);
    raw.once("data", this.#first);
    raw.resume();
  }

  /** The handshake is complete. */
  secured(socket: TLSSocket): void {
    if (this.#phase === "over") return;
    this.#phase = "over";
    this.whenClosed = null;
    // The raw socket stays as long as the connection; the handshake goes.
    this.raw.off("close", this.#closed);
    // From now on the end of what a client has to say is not the end of what it wants to hear.
    socket.allowHalfOpen = true;
    this.#onSecure(socket, this);
  }

  /** The handshake has failed; TLS closes the socket itself. */
  failed(reason: string, isNews: boolean): void {
    if (this.#phase === "over") return;
    this.#phase = "over";
    this.#rules.failed(this.peer.address, reason, isNews);
  }

  drain(): void {
    if (this.#phase === "silent") this.raw.destroy();
  }

  checkTimeouts(now: number): void {
    if (now - this.#since <= this.#rules.timeoutMs) return;
    const seconds = this.#rules.timeoutMs / 1000;
    if (this.#phase !== "over") {
      this.failed(`not finished within ${seconds} s (--tls-handshake-timeout)`, true);
    }
    this.raw.destroy();
  }

  destroy(): void {
    this.#phase = "over";
    this.raw.destroy();
  }

  // Private

  readonly #closed = (): void => this.whenClosed?.();

  readonly #ended = (): void => {
    if (this.#phase === "silent") this.failed("the client left without a word", false);
    this.raw.end();
  };

  readonly #first = (chunk: Buffer): void => {
    const { raw } = this;
    const byte = chunk[0]!;
    if (byte === HANDSHAKE_RECORD) {
      this.#phase = "shaking";
      raw.off("end", this.#ended);
      // A client that leaves in the middle is gone, and the handshake with it.
      raw.allowHalfOpen = false;
      raw.pause();
      raw.unshift(chunk);
      raw.read = readPiece;
      this.#rules.begin(this);
      return;
    }
    const isText = byte >= 0x41 && byte <= 0x5a;
    this.failed(isText ? "plain HTTP on a TLS address, answered with 400" : "not TLS", true);
    if (!isText) return void raw.destroy();
    // What else the client sends is read and thrown away, until it leaves or the time is over: an early close could cost it the answer.
    raw.end(this.#rules.plainHttpAnswer, "latin1");
    raw.resume();
  };
}
