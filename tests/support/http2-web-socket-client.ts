/** WebSockets over one HTTP/2 connection of node:http2 (RFC 8441), which says exactly the frames it is told. */
import { once } from "node:events";
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  type IncomingHttpHeaders,
  type IncomingHttpStatusHeader,
  type SecureClientSessionOptions,
} from "node:http2";

import { closeOf, frame, type FrameOptions, readFrame, type ServerFrame } from "./web-socket-client.ts";

/** Header fields of a handshake on `path`. */
export const extendedConnect = (path: string, fields: object = {}): Record<string, string> => ({
  ":method": "CONNECT",
  ":protocol": "websocket",
  ":path": path,
  "sec-websocket-version": "13",
  ...fields,
});

export class Http2Client {
  readonly session: ClientHttp2Session;

  private constructor(session: ClientHttp2Session) {
    this.session = session;
  }

  static async open(origin: string, options: SecureClientSessionOptions = {}): Promise<Http2Client> {
    const session = connect(origin, options);
    session.on("error", () => {});
    await once(session, "remoteSettings");
    return new Http2Client(session);
  }

  /** Sends a handshake. */
  ask(path: string, fields: object = {}): Http2WebSocketClient {
    return new Http2WebSocketClient(this.session.request(extendedConnect(path, fields)));
  }

  /** A WebSocket that is open. */
  async webSocket(path: string, fields: object = {}): Promise<Http2WebSocketClient> {
    const client = this.ask(path, fields);
    const { ":status": status } = await client.answer();
    if (status !== 200) throw new Error(`the handshake was answered ${status}`);
    return client;
  }
}

export class Http2WebSocketClient {
  readonly stream: ClientHttp2Stream;
  readonly #headers: Promise<IncomingHttpHeaders & IncomingHttpStatusHeader>;

  #received: Buffer = Buffer.alloc(0);
  #wake: () => void = () => {};

  constructor(stream: ClientHttp2Stream) {
    this.stream = stream;
    stream.on("error", () => {});
    stream.on("data", (chunk: Buffer) => {
      this.#received = Buffer.concat([this.#received, chunk]);
      stream.pause();
      this.#wake();
    });
    stream.pause();
    for (const event of ["end", "close"]) stream.on(event, () => this.#wake());
    this.#headers = once(stream, "response").then(
      ([headers]) => headers as IncomingHttpHeaders & IncomingHttpStatusHeader,
    );
    this.#headers.catch(() => {});
  }

  answer(): Promise<IncomingHttpHeaders & IncomingHttpStatusHeader> {
    return this.#headers;
  }

  send(opcode: number, payload: string | Buffer, options: FrameOptions = {}): void {
    this.stream.write(frame(opcode, payload, options));
  }

  next(): Promise<ServerFrame> {
    return readFrame((count) => this.take(count));
  }

  async closed(): Promise<string> {
    return closeOf(await this.next());
  }

  /** So many bytes. Nothing is read of the stream while nobody waits for it. */
  async take(count: number): Promise<Buffer> {
    while (this.#received.length < count) {
      if (this.stream.readableEnded || this.stream.destroyed) throw new Error(`the stream ended before ${count} bytes`);
      this.stream.resume();
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
    const bytes = this.#received.subarray(0, count);
    this.#received = this.#received.subarray(count);
    return bytes;
  }

  /** The stream is over: the code of its RST_STREAM, 0 for none or NO_ERROR. What still comes is thrown away. */
  async over(): Promise<number> {
    this.stream.removeAllListeners("data").resume();
    if (!this.stream.destroyed) await once(this.stream, "close");
    return this.stream.rstCode;
  }
}
