/** The street door: all listeners and all client connections; opening, the sweep that ends what waited too long, and the steps of a graceful stop. */
import type { Socket } from "node:net";
import type { Timer } from "../clock.ts";
import type { Bind } from "../config/plan.ts";
import type { Peer } from "../http/exchange.ts";
import type { ClientConnection } from "./connection.ts";
import type { ConnectionLimitsSettings } from "./connection-limits.ts";
import type { EdgeContext } from "./context.ts";
import { Doorkeeper } from "./doorkeeper.ts";
import { directStream } from "../streams/direct-stream.ts";
import { Http1Connection } from "./http1-connection.ts";
import { type BoundListener, Listener } from "./listener.ts";
import { ProxyProtocolConnection } from "./proxy-protocol.ts";

const SWEEP_EVERY_MS = 500;

export class Edge {
  readonly #context: EdgeContext;
  readonly #listeners: Listener[] = [];
  readonly #connections = new Set<ClientConnection>();
  readonly #doorkeeper: Doorkeeper;
  readonly #sweep: Timer;
  #whenEmpty: (() => void) | null = null;

  constructor(context: EdgeContext, limits: ConnectionLimitsSettings) {
    this.#context = context;
    this.#doorkeeper = new Doorkeeper(limits, context, this.#connections);
    this.#sweep = context.clock.every(SWEEP_EVERY_MS, () => {
      const now = context.clock.now();
      for (const connection of this.#connections) connection.checkTimeouts(now);
    });
  }

  get connections(): number {
    return this.#connections.size;
  }

  /** Opens every bind, or none: throws ListenError and closes those that were open. */
  async listen(binds: readonly Bind[], backlog: number, umask: number): Promise<readonly BoundListener[]> {
    try {
      for (const bind of binds) {
        const listener = new Listener(bind, (socket, peer) => this.#accept(socket, peer));
        listener.onAcceptFailed = (error) => this.#doorkeeper.acceptFailed(error);
        await listener.listen(backlog, umask);
        this.#listeners.push(listener);
      }
    } catch (error) {
      for (const listener of this.#listeners) listener.close();
      throw error;
    }
    return this.#listeners;
  }

  /**
   * The graceful end: takes in what the kernel has already accepted for us, stops listening, ends idle connections, lets busy ones finish their request.
   * Resolves when none is left.
   */
  async drain(): Promise<void> {
    this.#context.isDraining = true;
    // Two turns of the event loop: connections that stand in the accept queue are taken, not reset.
    for (let turn = 0; turn < 2; turn++) await new Promise<void>((resolve) => setImmediate(resolve));
    for (const listener of this.#listeners) listener.close();
    for (const connection of this.#connections) connection.drain();
    if (this.#connections.size === 0) return;
    await new Promise<void>((resolve) => (this.#whenEmpty = resolve));
  }

  /** The hard end. */
  destroy(): void {
    this.#sweep.cancel();
    for (const listener of this.#listeners) listener.close();
    for (const connection of this.#connections) connection.destroy();
  }

  #accept(socket: Socket, peer: Peer): void {
    const policy = this.#context.proxyProtocol;
    if (policy === null) return this.#serve(socket, peer);
    const header = new ProxyProtocolConnection(socket, peer, policy, this.#context, (client) => {
      this.#serve(socket, client);
      this.#connections.delete(header);
    });
    this.#keep(header);
  }

  #serve(socket: Socket, peer: Peer): void {
    if (!this.#doorkeeper.admit(socket, peer.address, peer.scheme === "https")) return;
    const connection = new Http1Connection((listener) => directStream(socket, listener), peer, this.#context);
    this.#keep(connection, () => this.#doorkeeper.left(peer.address));
  }

  #keep(connection: ClientConnection, gone: (() => void) | null = null): void {
    this.#connections.add(connection);
    connection.whenClosed = () => {
      this.#connections.delete(connection);
      gone?.();
      if (this.#connections.size === 0) this.#whenEmpty?.();
    };
  }
}
