/** The TLS door: client sockets in, secure sockets out. Owns the certificates, the session tickets' keys and the handshakes' rules. */
import { randomBytes } from "node:crypto";
import type { Socket } from "node:net";
import { createServer, type SecureContext, type Server, type TLSSocket } from "node:tls";
import type { Clock, Timer } from "../../clock.ts";
import type { TlsPlan } from "../../config/plan.ts";
import { errorFields } from "../../http/error-response.ts";
import { Peer } from "../../http/exchange.ts";
import { completeHead } from "../../http/http1/response-head.ts";
import type { Log } from "../../telemetry/log.ts";
import { type CertificateSet, SESSION_SECONDS } from "./certificate-set.ts";
import { Certificates } from "./certificates.ts";
import { tlsDetails } from "./details.ts";
import { handshakeFailure } from "./failure.ts";
import { type HandshakeRules, TlsHandshake } from "./handshake.ts";
import { serverNames } from "./server-names.ts";

const TICKET_KEY_BYTES = 48;

const MISTAKEN = "400 Bad Request: this port speaks https, and the request came without TLS\n";
const PLAIN_HTTP_ANSWER =
  completeHead(400, "", errorFields(), MISTAKEN.length, {
    method: "GET",
    minor: 1,
    keepAlive: false,
    date: "",
    server: "",
  }) + MISTAKEN;

export class TlsDoor {
  readonly #plan: TlsPlan;
  readonly #log: Log;
  readonly #certificates: Certificates;
  readonly #server: Server;
  readonly #rotation: Timer;
  readonly #rules: HandshakeRules;
  /** By the socket beneath the secure one. */
  readonly #handshakes = new WeakMap<Socket, TlsHandshake>();
  #contexts: readonly SecureContext[] = [];
  #choose: (serverName: string) => number = () => 0;
  #ticketKeys: Buffer = randomBytes(TICKET_KEY_BYTES);

  /** @param protocols for ALPN (RFC 7301), the preferred one first. Throws TlsError for files that cannot be used. */
  constructor(plan: TlsPlan, protocols: readonly string[], clock: Clock, log: Log) {
    this.#plan = plan;
    this.#log = log;
    this.#certificates = new Certificates(plan, clock, log);
    const { set } = this.#certificates;
    this.#server = createServer({
      ...set.options,
      ticketKeys: this.#ticketKeys,
      sessionTimeout: SESSION_SECONDS,
      ALPNProtocols: [...protocols],
      requestCert: plan.clientCertificates !== "none",
      rejectUnauthorized: plan.clientCertificates === "required",
      // One certificate serves every name; a callback would cost each handshake a detour.
      ...(plan.certificates.length > 1 && {
        SNICallback: (name: string, done: (error: null, context?: SecureContext) => void) =>
          done(null, this.#contexts[this.#choose(name)]),
      }),
      // The time is ours to judge (`checkTimeouts`), from the connection's beginning; this one only must not strike first.
      handshakeTimeout: 2 * plan.handshakeTimeoutMs + 10_000,
    });
    this.#use(set);
    this.#server.on("secureConnection", (socket: TLSSocket) => this.#takeHandshakeOf(socket)?.secured(socket));
    this.#server.on("tlsClientError", (error: Error, socket: TLSSocket) => this.#failed(error, socket));
    this.#certificates.onChange = (changed) => {
      // New certificates, same tickets: whoever was here before resumes.
      this.#server.setSecureContext({ ...changed.options, ticketKeys: this.#ticketKeys });
      this.#use(changed);
    };
    // RFC 5077 section 5.5: a key that is stolen later must not open the sessions of long ago.
    this.#rotation = clock.every(SESSION_SECONDS * 1000, () => {
      this.#ticketKeys = randomBytes(TICKET_KEY_BYTES);
      this.#server.setTicketKeys(this.#ticketKeys);
    });
    this.#rules = {
      clock,
      timeoutMs: plan.handshakeTimeoutMs,
      begin: (handshake) => {
        this.#handshakes.set(handshake.raw, handshake);
        this.#server.emit("connection", handshake.raw);
      },
      failed: (address, reason, isNews) => {
        const line = `TLS handshake with ${address || "a Unix socket"} failed: ${reason}`;
        if (isNews) log.info(line);
        else log.debug(line);
      },
      plainHttpAnswer: PLAIN_HTTP_ANSWER,
    };
  }

  /** Takes a client's socket; `onSecure` gets the secure one, with a Peer that knows what TLS agreed on. */
  accept(raw: Socket, peer: Peer, onSecure: (socket: TLSSocket, peer: Peer) => void): TlsHandshake {
    return new TlsHandshake(raw, peer, this.#rules, (socket, { peer }) => {
      const { address, port, serverName, serverPort } = peer;
      const details = tlsDetails(socket, this.#plan.clientCertificates !== "none");
      onSecure(socket, new Peer(address, port, serverName, serverPort, "https", details));
    });
  }

  /** Reads the certificates again. */
  reload(): void {
    this.#certificates.reload("signal");
  }

  close(): void {
    this.#rotation.cancel();
    this.#certificates.close();
  }

  // Private

  #use({ pairs, contexts }: CertificateSet): void {
    this.#contexts = contexts;
    this.#choose = serverNames(pairs.map(({ names }) => names));
  }

  #failed(error: Error, socket: TLSSocket): void {
    const { reason, isNews } = handshakeFailure(error, socket.authorizationError, this.#plan);
    const handshake = this.#takeHandshakeOf(socket);
    if (handshake === undefined) this.#log.debug(`TLS: ${reason}`);
    else handshake.failed(reason, isNews);
  }

  /** A TLSSocket keeps the socket it was made from as `_parent`, the only way from one of the server's events to its handshake. */
  #takeHandshakeOf(socket: TLSSocket): TlsHandshake | undefined {
    const { _parent: raw } = socket as TLSSocket & { readonly _parent?: Socket };
    if (raw === undefined) return undefined;
    const handshake = this.#handshakes.get(raw);
    this.#handshakes.delete(raw);
    return handshake;
  }
}
