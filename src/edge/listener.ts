/** Listening sockets: TCP, Unix, inherited file descriptor. Accepts client connections and hands them on with their Peer. */
import { chmodSync, statSync, unlinkSync } from "node:fs";
import { connect, createServer, type Server, type Socket } from "node:net";
import type { Bind } from "../config/plan.ts";
import { Peer } from "../http/exchange.ts";
import type { EdgeContext } from "./context.ts";
import type { TlsDoor } from "./tls/door.ts";

/** An address, and what is behind it. */
export interface Door {
  readonly bind: Bind;
  /** null where it speaks plain HTTP. */
  readonly tls: TlsDoor | null;
  /** The house that its connections are let into. */
  readonly context: EdgeContext;
}

/** A bind that could not be listened on; the message is for the operator. */
export class ListenError extends Error {
  override name = "ListenError";
}

export interface BoundListener {
  /** "http://127.0.0.1:8000", "https://[::1]:8443" or "unix:/path". */
  readonly url: string;
  readonly serverName: string;
  readonly serverPort: number;
  readonly door: Door;
}

export class Listener implements BoundListener {
  url = "";
  serverName = "";
  serverPort = 0;
  readonly door: Door;
  readonly #bind: Bind;
  readonly #server: Server;
  /** The kernel could not give a connection. */
  onAcceptFailed: ((error: NodeJS.ErrnoException) => void) | null = null;

  constructor(door: Door, onConnection: (socket: Socket, peer: Peer) => void) {
    this.door = door;
    this.#bind = door.bind;
    // Half-open: a client that has only finished speaking still gets its answer. No delay: small responses leave at once.
    this.#server = createServer(
      { allowHalfOpen: true, noDelay: true, keepAlive: true, pauseOnConnect: true },
      (socket) => {
        const peer = new Peer(
          socket.remoteAddress ?? "",
          socket.remotePort ?? 0,
          this.serverName,
          this.serverPort,
          "http",
        );
        onConnection(socket, peer);
      },
    );
  }

  /** Begins to listen. Throws ListenError with a sentence that names the address and what to do. */
  async listen(backlog: number, umask: number): Promise<void> {
    const bind = this.#bind;
    if (bind.type === "unix" && !bind.path.startsWith("\0")) await removeStale(bind.path);
    await new Promise<void>((resolve, reject) => {
      this.#server.once("error", (error: NodeJS.ErrnoException) => reject(new ListenError(explain(bind, error))));
      const done = (): void => resolve();
      if (bind.type === "tcp") this.#server.listen({ host: bind.host, port: bind.port, backlog }, done);
      else if (bind.type === "unix") this.#server.listen({ path: bind.path, backlog }, done);
      else this.#server.listen({ fd: bind.fd, backlog }, done);
    });
    this.#server.on("error", (error) => this.onAcceptFailed?.(error)); // libuv goes on by itself
    if (bind.type === "unix" && !bind.path.startsWith("\0")) chmodSync(bind.path, 0o777 & ~umask);
    this.#name();
  }

  /** Stops accepting; connections stay. */
  close(): void {
    this.#server.close();
    if (this.#bind.type === "unix" && !this.#bind.path.startsWith("\0")) {
      try {
        unlinkSync(this.#bind.path);
      } catch {
        // gone already
      }
    }
  }

  #name(): void {
    const address = this.#server.address();
    if (address === null || typeof address === "string") {
      this.serverName = "localhost";
      this.serverPort = 80;
      this.url = `unix:${(address ?? "").replace("\0", "@")}`;
      return;
    }
    this.serverName = this.#bind.type === "tcp" ? this.#bind.host || address.address : address.address;
    this.serverPort = address.port;
    const host = address.family === "IPv6" ? `[${address.address}]` : address.address;
    this.url = `${this.door.tls === null ? "http" : "https"}://${host}:${address.port}`;
  }
}

/** A socket file that nobody answers at is left over from a killed server. */
async function removeStale(path: string): Promise<void> {
  let isSocket: boolean;
  try {
    isSocket = statSync(path).isSocket();
  } catch {
    return;
  }
  if (!isSocket) throw new ListenError(`Cannot listen on unix:${path}: a file that is not a socket is in the way`);
  const answers = await new Promise<boolean>((resolve) => {
    const probe = connect(path, () => {
      probe.destroy();
      resolve(true);
    });
    probe.on("error", () => resolve(false));
  });
  if (answers) throw new ListenError(`Cannot listen on unix:${path}: another server answers there`);
  unlinkSync(path);
}

function explain(bind: Bind, error: NodeJS.ErrnoException): string {
  const where =
    bind.type === "tcp" ? `${bind.host}:${bind.port}` : bind.type === "unix" ? `unix:${bind.path}` : `fd://${bind.fd}`;
  switch (error.code) {
    case "EADDRINUSE":
      return `Cannot listen on ${where}: the address is in use by another program (choose another with --bind)`;
    case "EADDRNOTAVAIL":
      return `Cannot listen on ${where}: this machine has no such address`;
    case "EACCES":
      return `Cannot listen on ${where}: not permitted${bind.type === "tcp" && bind.port < 1024 ? " (ports below 1024 need root or CAP_NET_BIND_SERVICE)" : ""}`;
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return `Cannot listen on ${where}: the host name cannot be resolved`;
    case "ENOENT":
      return `Cannot listen on ${where}: no such folder`;
    default:
      return `Cannot listen on ${where}: ${error.message}`;
  }
}
