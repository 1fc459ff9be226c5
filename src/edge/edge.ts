/** The street door: all listeners and all client connections; opening, the sweep that ends what waited too long, and the steps of a graceful stop. */
import type { Socket } from "node:net";
import type { Timer } from "../clock.ts";
import type { Peer } from "../http/exchange.ts";
import type { ClientConnection } from "./connection.ts";
import type { ConnectionLimitsSettings } from "./connection-limits.ts";
import type { EdgeContext } from "./context.ts";
import { Doorkeeper } from "./doorkeeper.ts";
import { type BoundListener, type Door, Listener } from "./listener.ts";
import { greet } from "./protocol.ts";
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
  async listen(doors: readonly Door[], backlog: number, umask: number): Promise<readonly BoundListener[]> {
    try {
      for (const door of doors) {
        const listener = new Listener(door, (socket, peer) => this.#accept(socket, peer, door));
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

  /** The listening sockets, by the addresses they were asked for. */
  get sockets(): readonly Listener[] {
    return this.#listeners;
  }

  /** Responses say `Connection: close` from now on; new connections are still taken. */
  announceEnd(): void {
    this.#context.isDraining = true;
  }

  /**
   * The graceful end: takes in what the kernel has already accepted for us, stops listening, ends idle connections, lets busy ones finish their request.
   * Idle ones may bring one more request for `idleMs`: where another server listens on, it is answered rather than met by a closed door.
   * Resolves when none is left.
   */
  async drain(idleMs = 0): Promise<void> {
    this.#context.isDraining = true;
    // Two turns of the event loop: connections that stand in the accept queue are taken, not reset.
    for (let turn = 0; turn < 2; turn++) await new Promise<void>((resolve) => setImmediate(resolve));
    for (const listener of this.#listeners) listener.close();
    if (idleMs > 0) this.#context.clock.after(idleMs, () => this.#drainConnections());
    else this.#drainConnections();
    if (this.#connections.size === 0) return;
    await new Promise<void>((resolve) => (this.#whenEmpty = resolve));
  }

  /** The hard end. */
  destroy(): void {
    this.#sweep.cancel();
    for (const listener of this.#listeners) listener.close();
    for (const connection of this.#connections) connection.destroy();
  }

  #drainConnections(): void {
    for (const connection of this.#connections) connection.drain();
  }

  #accept(socket: Socket, peer: Peer, door: Door): void {
    const policy = this.#context.proxyProtocol;
    const speaksTls = door.tls !== null;
    if (policy === null) {
      if (this.#doorkeeper.admit(socket, peer.address, speaksTls)) this.#secure(socket, peer, door);
      return;
    }
    // Counted from its first moment on; whose it is, the header tells.
    if (!this.#doorkeeper.admit(socket, "", speaksTls)) return;
    const header = new ProxyProtocolConnection(socket, peer, policy, this.#context, (client) => {
      if (!this.#doorkeeper.identify(socket, client.address, speaksTls)) return header.whenClosed!();
      this.#secure(socket, client, door);
      this.#connections.delete(header);
    });
    this.#keep(header, () => this.#doorkeeper.left(""));
  }

  /** For a socket that was admitted. */
  #secure(socket: Socket, peer: Peer, { tls, context }: Door): void {
    const left = (): void => this.#doorkeeper.left(peer.address);
    if (tls === null) {
      this.#serve(socket, peer, context, left);
      return;
    }
    const handshake = tls.accept(socket, peer, (secured, client) => {
      const connection = this.#serve(secured, client, context, left);
      this.#connections.delete(handshake);
      // What TLS finds wrong later (a damaged record) is told to the socket that the stream was taken from.
      secured.on("error", () => connection.destroy());
      // A handshake that ends during a stop: the request that came with its last message is answered, an idle client is sent away.
      if (context.isDraining) setImmediate(() => connection.drain());
    });
    this.#keep(handshake, left);
  }

  #serve(socket: Socket, peer: Peer, context: EdgeContext, left: () => void): ClientConnection {
    const connection = greet(socket, peer, context, (before, now) => {
      this.#keep(now, left);
      this.#connections.delete(before);
    });
    this.#keep(connection, left);
    return connection;
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
