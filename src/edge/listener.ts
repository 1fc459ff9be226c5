/** Listening sockets: TCP, Unix, inherited file descriptor. Accepts client connections and hands them on with their Peer. */
import { createServer, type Server, type Socket } from "node:net";
import type { Bind } from "../config/plan.ts";
import { Peer } from "../http/exchange.ts";
import { parseIp } from "../http/ip-address.ts";
import { InTheWay, listenUnix, socketFile, type SocketFile } from "../streams/unix-listen.ts";
import type { EdgeContext } from "./context.ts";
import type { TlsDoor } from "./tls/door.ts";

/** An address, and what is behind it. */
export interface Door {
  readonly bind: Bind;
  /** A socket that listens already, handed over by an older server; absent: a new one. */
  readonly fd?: number;
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
  #file: SocketFile | null = null;

  constructor(door: Door, onConnection: (socket: Socket, peer: Peer) => void) {
    this.door = door;
    this.#bind = door.bind;
    // Half-open: a client that has only finished speaking still gets its answer. No delay: small responses leave at once.
    this.#server = createServer(
      { allowHalfOpen: true, noDelay: true, keepAlive: true, pauseOnConnect: true },
      (socket) => {
        const { remoteAddress } = socket;
        // Reset before it was accepted: what it has sent can still be read, and the kernel no longer says from whom. As a Unix socket's it would be trusted.
        if (remoteAddress === undefined && this.#isTcp) return void socket.destroy();
        const peer = new Peer(
          plainAddress(remoteAddress ?? ""),
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
    const { fd } = this.door;
    if (fd === undefined && bind.type === "unix" && !bind.path.startsWith("\0")) {
      try {
        this.#file = await listenUnix(this.#server, bind.path, { mode: 0o777 & ~umask, backlog, replaces: false });
      } catch (error) {
        if (error instanceof InTheWay) throw new ListenError(`Cannot listen on unix:${bind.path}: ${error.message}`);
        throw new ListenError(explain(bind, error as NodeJS.ErrnoException));
      }
      this.#server.on("error", () => {});
      this.#name();
      return;
    }
    await new Promise<void>((resolve, reject) => {
      this.#server.once("error", (error: NodeJS.ErrnoException) => reject(new ListenError(explain(bind, error))));
      const done = (): void => resolve();
      if (fd !== undefined) this.#server.listen({ fd, backlog }, done);
      else if (bind.type === "tcp") this.#server.listen({ host: bind.host, port: bind.port, backlog }, done);
      else if (bind.type === "unix") this.#server.listen({ path: bind.path, backlog }, done);
      else this.#server.listen({ fd: bind.fd, backlog }, done);
    });
    this.#server.on("error", (error) => this.onAcceptFailed?.(error)); // libuv goes on by itself
    this.#name();
  }

  /** The descriptor, to hand it over; -1 when it is closed. */
  get fd(): number {
    return (this.#server as Server & { _handle: { fd: number } | null })._handle?.fd ?? -1;
  }

  /** The socket's file is another server's from now on. */
  leaveFile(): void {
    this.#file = null;
  }

  /** The file of a socket that was handed over is ours from now on. */
  takeFile(): void {
    if (this.door.fd === undefined || this.#bind.type !== "unix" || this.#bind.path.startsWith("\0")) return;
    this.#file = socketFile(this.#bind.path);
  }

  /** Stops accepting; connections stay. */
  close(): void {
    this.#server.close();
    this.#file?.remove();
    // Whatever is there from now on is somebody else's, also where the kernel gives it the same inode.
    this.#file = null;
  }

  get #isTcp(): boolean {
    const address = this.#server.address();
    return address !== null && typeof address !== "string";
  }

  #name(): void {
    const address = this.#server.address();
    if (address === null || typeof address === "string") {
      this.serverName = "localhost";
      this.serverPort = 80;
      const path = this.#bind.type === "unix" ? this.#bind.path : (address ?? "");
      this.url = `unix:${path.replace("\0", "@")}`;
      return;
    }
    this.serverName = this.#bind.type === "tcp" ? this.#bind.host || address.address : address.address;
    this.serverPort = address.port;
    const host = address.family === "IPv6" ? `[${address.address}]` : address.address;
    this.url = `${this.door.tls === null ? "http" : "https"}://${host}:${address.port}`;
  }
}

/** A client that reaches [::] over IPv4 has an IPv6 address for the kernel (RFC 4291 section 2.5.5.2). Apps, logs and proxies behind us know it by its own. */
function plainAddress(address: string): string {
  return address.startsWith("::ffff:") ? (parseIp(address)?.text ?? address) : address;
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
