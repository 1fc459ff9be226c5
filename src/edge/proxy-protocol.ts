/**
 * A connection whose first bytes are a PROXY protocol header, up to the header's end: then whoever comes next (TLS, HTTP) gets the socket, with the
 * bytes that followed put back into it, and a Peer that is the client.
 */
import type { Socket } from "node:net";
import { Peer } from "../http/exchange.ts";
import { type ProxyProtocolPolicy, readProxyHeader } from "../http/proxy-header.ts";
import { type ClientConnection, LINGER_MS } from "./connection.ts";
import type { EdgeContext } from "./context.ts";
import { refusal } from "./refusal.ts";

const TLS_HANDSHAKE = 0x16;

export class ProxyProtocolConnection implements ClientConnection {
  readonly #socket: Socket;
  readonly #peer: Peer;
  readonly #policy: ProxyProtocolPolicy;
  readonly #context: EdgeContext;
  readonly #onClient: (peer: Peer) => void;
  readonly #since: number;
  whenClosed: (() => void) | null = null;
  #received: Buffer = Buffer.alloc(0);
  #refusedAt = -1;

  /** @param onClient is called once, when the header is complete; the socket is the callee's then. */
  constructor(
    socket: Socket,
    peer: Peer,
    policy: ProxyProtocolPolicy,
    context: EdgeContext,
    onClient: (peer: Peer) => void,
  ) {
    this.#socket = socket;
    this.#peer = peer;
    this.#policy = policy;
    this.#context = context;
    this.#onClient = onClient;
    this.#since = context.clock.now();
    socket.on("data", this.#read);
    socket.on("end", this.#ended);
    socket.on("error", this.#failed);
    socket.on("close", this.#closed);
    socket.resume();
  }

  idleSince(): number | null {
    return this.#received.length === 0 && this.#refusedAt === -1 ? this.#since : null;
  }

  drain(): void {
    this.#socket.destroy();
  }

  checkTimeouts(now: number): void {
    if (this.#refusedAt !== -1) {
      if (now - this.#refusedAt > LINGER_MS) this.#socket.destroy();
    } else if (now - this.#since > this.#context.headTimeoutMs) {
      this.#refuse(408, `no complete PROXY protocol header within ${this.#context.headTimeoutMs / 1000} s`, false);
    }
  }

  destroy(): void {
    this.#socket.destroy();
  }

  // Private

  readonly #read = (chunk: Buffer): void => {
    if (this.#refusedAt !== -1) return;
    if (!this.#policy.allowed.trustsPeer(this.#peer.address)) {
      const why = "it is not allowed to send the PROXY protocol (--proxy-allow-from)";
      return this.#refuse(403, why, speaksText(chunk));
    }
    this.#received = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk]);
    const read = readProxyHeader(this.#received, this.#policy.mode);
    if (read.type === "more") return;
    if (read.type === "wrong") {
      const why = read.missing ? `${read.why}, which --proxy-protocol ${this.#policy.mode} expects` : read.why;
      return this.#refuse(400, why, speaksText(this.#received));
    }
    this.#release();
    const rest = this.#received.subarray(read.length);
    if (rest.length > 0) this.#socket.unshift(rest);
    this.#onClient(read.client === null ? this.#peer : clientOf(this.#peer, read.client));
  };

  /** Nothing useful can follow. */
  readonly #ended = (): void => {
    this.#socket.destroy();
  };

  readonly #failed = (): void => {
    this.#socket.destroy();
  };

  readonly #closed = (): void => this.whenClosed?.();

  /** Leaves the socket as it came: paused, and nobody's. */
  #release(): void {
    this.#socket.pause();
    this.#socket.off("data", this.#read);
    this.#socket.off("end", this.#ended);
    this.#socket.off("error", this.#failed);
    this.#socket.off("close", this.#closed);
  }

  /** @param tells the peer speaks plain HTTP as far as can be seen, and gets an answer that it can read. */
  #refuse(status: number, why: string, tells: boolean): void {
    this.#refusedAt = this.#context.clock.now();
    this.#context.onRejected(this.#peer.address, status, why);
    if (!tells) return void this.#socket.destroy();
    const { head, body } = refusal(status, this.#context.date, this.#context.server);
    this.#socket.end(head + body, "latin1");
  }
}

function clientOf(peer: Peer, { address, port }: { readonly address: string; readonly port: number }): Peer {
  return new Peer(address, port, peer.serverName, peer.serverPort, peer.scheme, peer.tls);
}

function speaksText(bytes: Buffer): boolean {
  return bytes[0] !== TLS_HANDSHAKE;
}
