/** A TCP client that sends exactly the bytes it is told, and reads responses with its own small reader: for everything node:http is too polite for. */
import { connect, type Socket } from "node:net";

const PATIENCE_MS = 20_000;

export interface RawResponse {
  readonly status: number;
  readonly reason: string;
  /** Names in lower case; several values of one name joined by ", ". */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

export class RawClient {
  readonly socket: Socket;
  #received: Buffer = Buffer.alloc(0);
  #ended = false;
  #wake: () => void = () => undefined;

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on("data", (data: Buffer) => {
      this.#received = Buffer.concat([this.#received, data]);
      this.#wake();
    });
    const end = (): void => {
      this.#ended = true;
      this.#wake();
    };
    socket.on("end", end);
    socket.on("close", end);
    socket.on("error", end);
  }

  static async open(port: number, host = "127.0.0.1"): Promise<RawClient> {
    const socket = connect({ port, host, noDelay: true, allowHalfOpen: true });
    await new Promise<void>((resolve, reject) => socket.once("connect", resolve).once("error", reject));
    return new RawClient(socket);
  }

  /** Everything that came and was not read as a response yet. */
  get received(): string {
    return this.#received.toString("latin1");
  }

  /** Resolves when the kernel has taken the bytes. */
  async send(bytes: string | Buffer): Promise<void> {
    await new Promise<void>((resolve) =>
      this.socket.write(typeof bytes === "string" ? Buffer.from(bytes, "latin1") : bytes, () => resolve()),
    );
  }

  /** The next response, interim ones (100 Continue) included. `toHead`: it answers a HEAD and has no body. */
  async response(toHead: boolean = false): Promise<RawResponse> {
    const headEnd = await this.#until(
      () => this.#received.indexOf("\r\n\r\n"),
      (at) => at >= 0,
      "the end of a response head",
    );
    const [statusLine = "", ...lines] = this.#received.subarray(0, headEnd).toString("latin1").split("\r\n");
    const match = /^HTTP\/1\.[01] (\d{3}) ?(.*)$/.exec(statusLine);
    if (match === null) throw new Error(`not a status line: ${JSON.stringify(statusLine)}`);
    const headers: Record<string, string> = {};
    for (const line of lines) {
      const name = line.slice(0, line.indexOf(":")).toLowerCase();
      const value = line.slice(line.indexOf(":") + 1).trim();
      headers[name] = name in headers ? `${headers[name]}, ${value}` : value;
    }
    this.#received = this.#received.subarray(headEnd + 4);
    const status = Number(match[1]);
    const bodiless = toHead || status < 200 || status === 204 || status === 304;
    const body = bodiless ? Buffer.alloc(0) : await this.#body(headers);
    return { status, reason: match[2] ?? "", headers, body };
  }

  /** Everything until the server closes. */
  async rest(): Promise<string> {
    await this.#until(
      () => this.#ended,
      (ended) => ended,
      "the end of the connection",
    );
    return this.received;
  }

  /** The next bytes, so many. */
  async take(count: number): Promise<Buffer> {
    return Buffer.from(await this.#take(count));
  }

  /** Waits until the unread bytes match. */
  async match(pattern: RegExp): Promise<string> {
    await this.#until(
      () => pattern.test(this.received),
      (matches) => matches,
      `bytes like ${String(pattern)}`,
    );
    return this.received;
  }

  /** Leaves as a closing browser does: FIN. */
  leave(): void {
    this.socket.destroy();
  }

  /** Leaves as a dying machine does: RST. */
  vanish(): void {
    this.socket.resetAndDestroy();
  }

  // Private

  async #body(headers: Readonly<Record<string, string>>): Promise<Buffer> {
    if (headers["transfer-encoding"]?.toLowerCase() === "chunked") return this.#chunked();
    if (headers["content-length"] !== undefined) return this.#take(Number(headers["content-length"]));
    await this.rest();
    return this.#take(this.#received.length);
  }

  async #chunked(): Promise<Buffer> {
    const parts: Buffer[] = [];
    for (;;) {
      const lineEnd = await this.#until(
        () => this.#received.indexOf("\r\n"),
        (at) => at >= 0,
        "a chunk's size",
      );
      const size = Number.parseInt(this.#received.subarray(0, lineEnd).toString("latin1"), 16);
      if (Number.isNaN(size)) throw new Error(`not a chunk size: ${JSON.stringify(this.received.slice(0, 40))}`);
      await this.#take(lineEnd + 2);
      const data = await this.#take(size);
      const end = await this.#take(2);
      if (end.toString("latin1") !== "\r\n")
        throw new Error("a chunk without its CRLF (trailers are not expected here)");
      if (size === 0) return Buffer.concat(parts);
      parts.push(data);
    }
  }

  async #take(count: number): Promise<Buffer> {
    await this.#until(
      () => this.#received.length,
      (length) => length >= count,
      `${count} bytes`,
    );
    const taken = this.#received.subarray(0, count);
    this.#received = this.#received.subarray(count);
    return taken;
  }

  async #until<T>(look: () => T, satisfied: (found: T) => boolean, what: string): Promise<T> {
    const deadline = AbortSignal.timeout(PATIENCE_MS);
    for (;;) {
      const found = look();
      if (satisfied(found)) return found;
      if (this.#ended)
        throw new Error(`the connection ended before ${what}; unread: ${JSON.stringify(this.received.slice(0, 500))}`);
      if (deadline.aborted)
        throw new Error(
          `no ${what} within ${PATIENCE_MS / 1000} s; unread: ${JSON.stringify(this.received.slice(0, 500))}`,
        );
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        deadline.addEventListener("abort", () => resolve(), { once: true });
      });
    }
  }
}

/** Sends the bytes on a connection of their own and reads until the server closes it. */
export async function exchangeRaw(port: number, bytes: string | Buffer): Promise<string> {
  const client = await RawClient.open(port);
  await client.send(bytes);
  const answer = await client.rest();
  client.leave();
  return answer;
}
