/** A server that sends exactly the bytes it is told: for upstreams that node:http is too polite for. */
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { after } from "node:test";

const PATIENCE_MS = 20_000;

/** One connection of the front to it. */
export class UpstreamConnection {
  readonly socket: Socket;
  received = "";
  discarded = 0;
  isClosed = false;
  readonly #watchers = new Set<() => void>();

  constructor(socket: Socket) {
    this.socket = socket;
    const changed = (): void => {
      for (const watcher of this.#watchers) watcher();
      this.#watchers.clear();
    };
    socket.on("data", (data) => {
      this.received += data.toString("latin1");
      changed();
    });
    socket.on("error", () => {});
    socket.on("close", () => {
      this.isClosed = true;
      changed();
    });
    this.#changed = changed;
  }

  readonly #changed: () => void;

  /** Waits until what was received matches, and forgets it up to the end of the match. */
  async match(pattern: RegExp): Promise<string> {
    await this.#until(() => pattern.test(this.received), `bytes like ${String(pattern)}`);
    const found = pattern.exec(this.received)!;
    this.received = this.received.slice(found.index + found[0].length);
    return found[0];
  }

  /** From now on what comes is only counted. */
  discard(): void {
    this.socket.removeAllListeners("data").on("data", (data) => (this.discarded += data.length));
  }

  /** A request's head. */
  async head(): Promise<string> {
    return this.match(/^[^]*?\r\n\r\n/);
  }

  send(text: string): void {
    this.socket.write(text, "latin1");
  }

  async closed(): Promise<void> {
    await this.#until(() => this.isClosed, "the end of the connection");
  }

  async #until(satisfied: () => boolean, what: string): Promise<void> {
    const deadline = AbortSignal.timeout(PATIENCE_MS);
    while (!satisfied()) {
      if (this.isClosed || deadline.aborted) throw new Error(`no ${what}; unread: ${JSON.stringify(this.received)}`);
      await new Promise<void>((resolve) => {
        this.#watchers.add(resolve);
        deadline.addEventListener("abort", () => resolve(), { once: true });
      });
    }
    this.#changed();
  }
}

export class RawUpstream {
  readonly port: number;
  readonly #accepted: UpstreamConnection[] = [];
  readonly #waiting: ((connection: UpstreamConnection) => void)[] = [];
  readonly #sockets: Socket[] = [];
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
    this.port = (server.address() as AddressInfo).port ?? 0;
  }

  /** On a port that the kernel picks, or on a Unix socket. `each` is called with every connection. */
  static async open(
    each: (connection: UpstreamConnection) => void = () => {},
    path: string | null = null,
  ): Promise<RawUpstream> {
    const server = createServer({ noDelay: true });
    if (path === null) server.listen(0, "127.0.0.1");
    else server.listen(path);
    await new Promise((resolve) => server.once("listening", resolve));
    const upstream = new RawUpstream(server);
    server.on("connection", (socket) => {
      upstream.#sockets.push(socket);
      const connection = new UpstreamConnection(socket);
      const waiting = upstream.#waiting.shift();
      if (waiting === undefined) upstream.#accepted.push(connection);
      else waiting(connection);
      each(connection);
    });
    opened.push(upstream);
    return upstream;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** The next connection that nobody has asked for yet. */
  async connection(): Promise<UpstreamConnection> {
    const accepted = this.#accepted.shift();
    if (accepted !== undefined) return accepted;
    return await new Promise((resolve) => this.#waiting.push(resolve));
  }

  close(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }
}

// Private

const opened: RawUpstream[] = [];

// Here and not in open(): called inside a hook, after() would belong to that hook.
after(() => {
  for (const upstream of opened) upstream.close();
});
