/**
 * Lets client connections in or turns them away: the limits in total and by address, and what is done when they are reached.
 *
 * When the house is full the connections that have been idle longest are closed, as a keep-alive connection may be at any time (RFC 9112
 * section 9.3); where none is idle the new client is told 503.
 */
import { readFileSync } from "node:fs";
import { isIPv6, type Socket } from "node:net";
import type { ClientConnection } from "./connection.ts";
import { ConnectionLimits, type ConnectionLimitsSettings } from "./connection-limits.ts";
import type { EdgeContext } from "./context.ts";
import { refusal } from "./refusal.ts";

/** How many idle connections are closed at once: looking for them costs a look at every connection. */
const ROOM_AT_ONCE = 32;
/** A refused client gets this long to read its 503; past so many of them at once they get none. */
const REFUSED_MS = 1000;
const REFUSED_AT_ONCE = 128;
const TELL_EVERY_MS = 10_000;

export class Doorkeeper {
  readonly #limits: ConnectionLimits;
  readonly #context: EdgeContext;
  readonly #connections: Iterable<ClientConnection>;
  /** Connections that are being closed to make room, and have not been replaced yet. */
  #room = 0;
  #beingRefused = 0;
  readonly #told = new Map<string, { at: number; count: number }>();

  constructor(settings: ConnectionLimitsSettings, context: EdgeContext, connections: Iterable<ClientConnection>) {
    this.#limits = new ConnectionLimits(settings);
    this.#context = context;
    this.#connections = connections;
  }

  /** False where the socket was turned away. `address` is empty for a Unix socket, and where it is not known yet (`identify`). One that is let in is told to `left` when it is closed. */
  admit(socket: Socket, address: string, speaksTls: boolean): boolean {
    const { total } = this.#limits.settings;
    const admission = this.#limits.ask(address);
    if (admission === "client") {
      this.#refuseClient(socket, address, speaksTls);
      return false;
    }
    if (admission === "full") {
      if (this.#room === 0) this.#makeRoom();
      if (this.#room === 0) {
        this.#tell("full", `All ${total} connections are at work, the new one is refused (--limit-connections)`);
        this.#refuse(socket, speaksTls);
        return false;
      }
      this.#room--;
    }
    this.#limits.enter(address);
    return true;
  }

  /** Whose a socket is that was let in without an address. False where it was turned away after all: the caller says that it has left. */
  identify(socket: Socket, address: string, speaksTls: boolean): boolean {
    if (this.#limits.identify(address)) return true;
    this.#refuseClient(socket, address, speaksTls);
    return false;
  }

  left(address: string): void {
    this.#limits.leave(address);
    if (this.#room > 0) this.#room--;
  }

  /** The kernel could not give a connection (EMFILE, ENFILE, ENOMEM). */
  acceptFailed(error: NodeJS.ErrnoException): void {
    this.#tell(
      "accept",
      `Cannot accept connections: ${error.message}; raise the limit of open files (ulimit -n, LimitNOFILE=)`,
    );
    this.#makeRoom();
  }

  // Private

  #makeRoom(): void {
    const idle: { connection: ClientConnection; since: number }[] = [];
    for (const connection of this.#connections) {
      const since = connection.idleSince?.() ?? null;
      if (since !== null) idle.push({ connection, since });
    }
    idle.sort((a, b) => a.since - b.since);
    const chosen = idle.slice(0, Math.min(ROOM_AT_ONCE, Math.ceil(idle.length / 8)));
    if (chosen.length > 0)
      this.#tell("idle", `Closing idle connections for new ones (--limit-connections ${this.#limits.settings.total})`);
    this.#room += chosen.length;
    for (const { connection } of chosen) connection.destroy();
  }

  #refuseClient(socket: Socket, address: string, speaksTls: boolean): void {
    const { perClient } = this.#limits.settings;
    const client = isIPv6(address) ? `${address}/64` : address;
    this.#tell("client", `Too many connections from ${client} (--limit-connections-per-client ${perClient})`);
    this.#refuse(socket, speaksTls);
  }

  #refuse(socket: Socket, speaksTls: boolean): void {
    if (speaksTls || this.#beingRefused >= REFUSED_AT_ONCE) {
      socket.destroy();
      return;
    }
    this.#beingRefused++;
    const { head, body } = refusal(503, this.#context.date, this.#context.server);
    const timer = this.#context.clock.after(REFUSED_MS, () => socket.destroy());
    socket.on("error", () => socket.destroy());
    socket.on("close", () => {
      this.#beingRefused--;
      timer.cancel();
    });
    // What it has sent is read away: closing with unread bytes would reset the connection and take the answer with it.
    socket.on("end", () => socket.destroy());
    socket.resume();
    socket.end(head + body, "latin1");
  }

  /** Once in a while however often it happens. */
  #tell(kind: string, message: string): void {
    const now = this.#context.clock.now();
    const told = this.#told.get(kind);
    if (told !== undefined && now - told.at < TELL_EVERY_MS) {
      told.count++;
      return;
    }
    const before = told === undefined || told.count === 0 ? "" : `; ${told.count} times more since it was last told`;
    this.#told.set(kind, { at: now, count: 0 });
    this.#context.onTroubleAtDoor(message + before);
  }
}

/** This process's limit of open files; 0 where it cannot be known. Node raises the soft limit to the hard one when it starts. */
export function openFilesLimit(): number {
  try {
    const match = /^Max open files\s+(\d+)/m.exec(readFileSync("/proc/self/limits", "latin1"));
    return Number(match?.[1] ?? 0);
  } catch {
    return 0;
  }
}
