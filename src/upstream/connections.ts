/**
 * The connections to one upstream. Each carries one request at a time (no pipelining: RFC 9112 section 9.3.2 lets a client wait for ever behind
 * another's), the one used last is used next, and one that is idle too long is closed. Bounded by `maxConnections`: who finds none waits in line, and
 * not longer than for a connection to stand.
 */
import { isIP } from "node:net";
import { buildConnector, Client } from "undici";
import type { Clock, Timer } from "../clock.ts";
import type { UpstreamPlan } from "../config/sites/upstream.ts";

/** One connection, or the place of one: the library connects when the first request comes, and again when it was closed. */
export class Connection {
  readonly client: Client;
  /** Requests that the present socket has carried. */
  requests = 0;
  /** What has broken the socket; an EOF that ends a response may be none (ECONNRESET). */
  error: Error | null = null;

  constructor(client: Client) {
    this.client = client;
  }
}

/** Somebody who waits for a connection. */
export interface Waiter {
  granted(connection: Connection): void;
  /** None was free for so long. */
  refused(): void;
}

export class Connections {
  readonly #plan: UpstreamPlan;
  readonly #clock: Clock;
  readonly #connect: buildConnector.connector;
  readonly #idle: Connection[] = [];
  readonly #waiting = new Map<Waiter, Timer | null>();
  #count = 0;
  #isClosed = false;

  /** `ca`: the certificates that are trusted, PEM; null = Node's own. */
  constructor(plan: UpstreamPlan, ca: Buffer | null, clock: Clock) {
    this.#plan = plan;
    this.#clock = clock;
    this.#connect = buildConnector({
      allowH2: false,
      timeout: plan.connectTimeoutMs,
      rejectUnauthorized: plan.tls.verify,
      ...(plan.socketPath === null ? {} : { socketPath: plan.socketPath }),
      ...(ca === null ? {} : { ca }),
    });
  }

  get counts(): { readonly busy: number; readonly idle: number; readonly waiting: number } {
    const idle = this.#idle.length;
    return { busy: this.#count - idle, idle, waiting: this.#waiting.size };
  }

  /** The name for SNI and the certificate; the same for all requests, whatever Host they have. */
  get serverName(): string {
    return this.#plan.tls.serverName ?? this.#plan.host;
  }

  /** An idle connection unless a fresh one is wanted, or a new one; null where there may be no more: `wait`. */
  take(isFresh: boolean): Connection | null {
    const idle = isFresh ? undefined : this.#idle.pop();
    if (idle !== undefined) return idle;
    const { maxConnections } = this.#plan;
    if (maxConnections > 0 && this.#count >= maxConnections) {
      const oldest = this.#idle.shift();
      if (oldest === undefined) return null;
      this.#end(oldest);
    }
    return this.#open();
  }

  wait(waiter: Waiter): void {
    const { connectTimeoutMs } = this.#plan;
    const late = (): void => {
      this.#waiting.delete(waiter);
      waiter.refused();
    };
    this.#waiting.set(waiter, connectTimeoutMs === 0 ? null : this.#clock.after(connectTimeoutMs, late));
  }

  /** It waits no more. */
  withdraw(waiter: Waiter): void {
    this.#waiting.get(waiter)?.cancel();
    this.#waiting.delete(waiter);
  }

  /** Its request is over, and the next may come. */
  giveBack(connection: Connection): void {
    if (this.#isClosed) return this.#end(connection);
    const waiter = this.#nextWaiter();
    if (waiter === null) this.#idle.push(connection);
    else waiter.granted(connection);
  }

  /** Its request has failed or was given up: nobody knows what still comes over it. */
  discard(connection: Connection): void {
    this.#end(connection);
    const waiter = this.#nextWaiter();
    if (waiter !== null) waiter.granted(this.#open());
  }

  /** Ends the idle ones; the others when their requests are over. */
  close(): void {
    this.#isClosed = true;
    for (const connection of this.#idle.splice(0)) this.#end(connection);
  }

  // Private

  #nextWaiter(): Waiter | null {
    for (const [waiter, timer] of this.#waiting) {
      timer?.cancel();
      this.#waiting.delete(waiter);
      return waiter;
    }
    return null;
  }

  #open(): Connection {
    const { scheme, host, port, keepAliveMs, maxHeadBytes } = this.#plan;
    const origin = `${scheme}://${isIP(host) === 6 ? `[${host}]` : host}:${port || 80}`;
    const client = new Client(origin, {
      connect: (options, callback) => this.#connectFor(connection, options, callback),
      // One at a time; 0 says "Connection: close".
      pipelining: keepAliveMs === 0 ? 0 : 1,
      ...(keepAliveMs === 0 ? {} : { keepAliveTimeout: keepAliveMs, keepAliveMaxTimeout: keepAliveMs }),
      maxHeaderSize: maxHeadBytes,
    });
    const connection = new Connection(client);
    client.on("disconnect", () => {
      const at = this.#idle.indexOf(connection);
      if (at === -1) return;
      this.#idle.splice(at, 1);
      this.#end(connection);
    });
    this.#count++;
    return connection;
  }

  #connectFor(connection: Connection, options: buildConnector.Options, callback: buildConnector.Callback): void {
    // RFC 6066 section 3: an address is no name.
    const servername = isIP(this.serverName) === 0 ? this.serverName : undefined;
    this.#connect({ ...options, ...(servername === undefined ? {} : { servername }) }, (...[error, socket]) => {
      if (error !== null) return callback(error, null);
      connection.requests = 0;
      connection.error = null;
      socket.on("error", (reason) => (connection.error = reason));
      callback(null, socket);
    });
  }

  #end(connection: Connection): void {
    this.#count--;
    void connection.client.destroy();
  }
}
