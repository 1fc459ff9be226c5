/** A listening door, with node's own HTTP/2 client or raw bytes outside, and a test that answers inside: the surroundings of the tests of HTTP/2. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { type ClientHttp2Session, type ClientHttp2Stream, connect, type IncomingHttpHeaders } from "node:http2";
import { connect as connectSocket, createServer, type Server, type Socket } from "node:net";
import { after, test } from "node:test";
import { FakeClock } from "../clock.test.ts";
import type { Exchange } from "../http/exchange.ts";
import { fieldsOf, SAMPLE_PEER } from "../http/exchange.test.ts";
import type { ClientConnection } from "./connection.ts";
import type { EdgeContext } from "./context.ts";
import { Client } from "./house.test.ts";
import { greet } from "./protocol.ts";

const HTTP2 = {
  cleartext: true,
  maxConcurrentStreams: 100,
  initialWindowSize: 65_535,
  maxFrameSize: 16_384,
  maxHeaderListSize: 65_536,
};

/** A listening door, and whatever comes through it. */
export class Door {
  readonly clock: FakeClock = new FakeClock();
  readonly told: string[] = [];
  readonly connections: ClientConnection[] = [];
  readonly context: EdgeContext;
  readonly #server: Server;
  readonly #waiting: Exchange[] = [];
  readonly #clients: (ClientHttp2Session | Socket)[] = [];
  #wake: () => void = () => {};
  port = 0;

  constructor(differences: Partial<EdgeContext> = {}) {
    this.context = {
      ...new Client().context,
      clock: this.clock,
      http2: HTTP2,
      submit: (exchange) => {
        exchange.state = "given";
        exchange.onGone = ({ head }) => this.tell(`gone ${head.path}`);
        this.#waiting.push(exchange);
        this.#wake();
      },
      onDone: ({ head, status, sentBytes }) => this.tell(`done ${head.path} ${status} ${sentBytes}`),
      onRejected: (_address, status) => this.tell(`rejected ${status}`),
      onCutOff: (_address, detail) => this.tell(`cut off: ${detail}`),
      onBadLength: ({ head }, promised, sent) => this.tell(`bad length ${head.path} ${promised} ${sent}`),
      ...differences,
    };
    this.#server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (socket) => {
      const keep = (connection: ClientConnection): void => {
        connection.whenClosed = () => this.tell("closed");
        this.connections.push(connection);
      };
      keep(greet(socket, SAMPLE_PEER, this.context, (_before, now) => keep(now)));
    });
    after(() => {
      for (const client of this.#clients) client.destroy();
      for (const connection of this.connections) connection.destroy();
      this.#server.close();
    });
  }

  tell(what: string): void {
    this.told.push(what);
    this.#wake();
  }

  async open(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    this.port = (this.#server.address() as { port: number }).port;
    return this;
  }

  async client(settings: object = {}): Promise<ClientHttp2Session> {
    const client = connect(`http://127.0.0.1:${this.port}`, { settings });
    client.on("error", () => {});
    this.#clients.push(client);
    await once(client, "remoteSettings");
    return client;
  }

  async raw(): Promise<Socket> {
    const socket = connectSocket(this.port, "127.0.0.1");
    socket.on("error", () => {});
    this.#clients.push(socket);
    await once(socket, "connect");
    return socket;
  }

  /** The next request that has come. */
  async next(): Promise<Exchange> {
    await this.until(() => this.#waiting.length > 0);
    return this.#waiting.shift()!;
  }

  async until(holds: () => boolean): Promise<void> {
    while (!holds()) await new Promise<void>((resolve) => (this.#wake = resolve));
  }

  get connection(): ClientConnection {
    return this.connections.at(-1)!;
  }
}

export interface Answer {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export async function answer(stream: ClientHttp2Stream): Promise<Answer> {
  let headers: IncomingHttpHeaders = {};
  let body = "";
  stream.on("response", (fields) => (headers = fields));
  stream.on("data", (data: Buffer) => (body += data.toString("latin1")));
  await once(stream, "close");
  return { headers, body };
}

export const post = (client: ClientHttp2Session, path: string, fields = {}): ClientHttp2Stream => {
  const stream = client.request({ ":method": "POST", ":path": path, ...fields });
  stream.on("error", () => {});
  return stream;
};

test("requests side by side are answered in any order", async () => {
  const door = await new Door().open();
  const client = await door.client();
  const [a, b] = [answer(client.request({ ":path": "/a" })), answer(client.request({ ":path": "/b?q" }))];
  const [first, second] = [await door.next(), await door.next()];
  assert.deepEqual([first.head.path, second.head.path, second.head.query, first.head.version], ["/a", "/b", "q", "2"]);
  second.complete(200, "OK", fieldsOf("Content-Type", "text/plain", "Connection", "close", "Keep-Alive", "1"), "two");
  first.complete(404, "Not Found", fieldsOf("X-Twice", "1", "x-twice", "2", "Set-Cookie", "a=b"), "one");
  assert.deepEqual((await b).body, "two");
  assert.equal((await b).headers["connection"], undefined);
  assert.equal((await b).headers["content-length"], "3");
  const { headers, body } = await a;
  assert.deepEqual(
    [headers[":status"], headers["x-twice"], headers["set-cookie"], body],
    [404, "1, 2", ["a=b"], "one"],
  );
});
