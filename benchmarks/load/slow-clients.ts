/** Clients that take or give their bytes slowly, as those on bad lines and those with bad intentions do. */
import { type Socket, connect } from "node:net";
import { get } from "./connection.ts";

export class SlowClients {
  readonly #port: number;
  readonly #sockets: Socket[] = [];
  readonly #timers: NodeJS.Timeout[] = [];
  #over = false;
  /** Those who have the beginning of a response with status 200. */
  reading = 0;
  /** Those whose connection the server has ended. */
  cutOff = 0;

  constructor(port: number) {
    this.#port = port;
  }

  /** Each sends a body of 100 KB at one byte a second, not all at the same moment. */
  async dribble(path: string, count: number): Promise<void> {
    const sockets = await this.#open(count);
    for (const [index, socket] of sockets.entries()) {
      socket.resume();
      socket.write(`POST ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 100000\r\n\r\n`);
      const begin = (): unknown => this.#timers.push(setInterval(() => socket.write("x"), 1000));
      this.#timers.push(setTimeout(begin, (1000 * index) / count));
    }
  }

  /**
   * Each asks for `path` and reads so many bytes a second. Resolves with the moment of the first request; `all` when every one has begun to read or has
   * been refused.
   */
  async read(path: string, count: number, bytesPerSecond: number): Promise<{ firstAtMs: number; all: Promise<void> }> {
    const sockets = await this.#open(count);
    const all = Promise.withResolvers<void>();
    const firstAtMs = performance.now();
    let answered = 0;
    for (const socket of sockets) {
      socket.once("readable", () => {
        if (++answered === count) all.resolve();
        if (!String(socket.read()).startsWith("HTTP/1.1 200 ")) return;
        this.reading++;
        const pieceBytes = bytesPerSecond / 2;
        this.#timers.push(setInterval(() => void (socket.read(pieceBytes) ?? socket.read()), 500));
      });
      socket.write(get(path));
    }
    return { firstAtMs, all: all.promise };
  }

  close(): void {
    this.#over = true;
    for (const timer of this.#timers) clearInterval(timer);
    for (const socket of this.#sockets) socket.destroy();
  }

  // Private

  async #open(count: number): Promise<readonly Socket[]> {
    const sockets = Array.from({ length: count }, () => {
      const socket = connect({ port: this.#port, host: "127.0.0.1", noDelay: true });
      socket.on("error", () => {});
      socket.on("close", () => {
        if (!this.#over) this.cutOff++;
      });
      return socket;
    });
    this.#sockets.push(...sockets);
    await Promise.all(
      sockets.map((socket) => new Promise<void>((resolve) => socket.once("connect", resolve).once("close", resolve))),
    );
    return sockets;
  }
}
