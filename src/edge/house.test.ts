/** A client connection over a Duplex, with a context that records: the surroundings of the edge's tests. */
import assert from "node:assert/strict";
import { Duplex } from "node:stream";
import { test } from "node:test";
import type { Clock } from "../clock.ts";
import { FakeClock } from "../clock.test.ts";
import type { Exchange } from "../http/exchange.ts";
import { fieldsOf, SAMPLE_PEER } from "../http/exchange.test.ts";
import { DEFAULT_HEAD_LIMITS } from "../http/http1/head-limits.ts";
import { SocketStream } from "../streams/byte-stream.ts";
import type { EdgeContext } from "./context.ts";
import { Http1Connection } from "./http1-connection.ts";

export const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** What the edge is told in a test, where that does not say otherwise: no limits but those of a head, and what happens is told as a line. */
export function edgeContext(
  clock: Clock,
  tell: (line: string) => void,
  differences: Partial<EdgeContext>,
): EdgeContext {
  return {
    clock,
    limits: DEFAULT_HEAD_LIMITS,
    keepAliveMs: 2000,
    headTimeoutMs: 30_000,
    writeTimeoutMs: 60_000,
    connectionRequests: 0,
    bodies: {
      maxBytes: 0,
      memoryBytes: 1_048_576,
      timeoutMs: 30_000,
      minRate: 240,
      buffering: "auto",
      spool: null,
      gatheredBytes: 0,
    },
    http2: null,
    hasAsgi: () => true,
    webSocket: { maxSize: 65_536, pingIntervalMs: 20_000, pingTimeoutMs: 20_000, deflate: true },
    server: "",
    hsts: "",
    sendfile: null,
    date: "",
    isDraining: false,
    forwarding: null,
    proxyProtocol: null,
    streamsBodies: () => false,
    bodyRule: null,
    refusalPage: null,
    speaksAsgi: () => false,
    submit: () => {},
    onDone: (exchange) => tell(`done ${exchange.head.path} ${exchange.status} ${exchange.sentBytes}`),
    onRejected: (_address, status) => tell(`rejected ${status}`),
    onCutOff: (_address, detail) => tell(`cut off: ${detail}`),
    onTroubleAtDoor: tell,
    onUntrusted: (address, head) => tell(`untrusted ${address} ${head.path}`),
    onBadLength: (exchange, promised, sent) => tell(`bad length ${exchange.head.path} ${promised} ${sent}`),
    ...differences,
  };
}

export class Client {
  readonly clock: FakeClock = new FakeClock();
  readonly told: string[] = [];
  /** Requests that wait for the test to answer them. */
  readonly submitted: Exchange[] = [];
  readonly context: EdgeContext;
  readonly connection: Http1Connection;
  readonly socket: Duplex;
  /** What a request gets at once; null where the test answers itself. */
  answer: ((exchange: Exchange) => void) | null = null;
  #received = "";

  constructor(differences: Partial<EdgeContext> = {}) {
    this.context = edgeContext(this.clock, (line) => void this.told.push(line), {
      speaksAsgi: differences.streamsBodies ?? ((): boolean => false),
      submit: (exchange) => {
        exchange.state = "given";
        this.submitted.push(exchange);
        this.answer?.(exchange);
      },
      ...differences,
    });
    this.socket = new Duplex({
      allowHalfOpen: true,
      read() {},
      write: (chunk: Buffer, _encoding, done) => {
        this.#received += chunk.toString("latin1");
        done();
      },
      final: (done) => {
        this.#received += "<FIN>";
        done();
      },
    });
    this.connection = new Http1Connection(
      (listener) => new SocketStream(this.socket, listener),
      SAMPLE_PEER,
      this.context,
    );
  }

  /** The client sends; the bytes are read within this turn. */
  async sends(...texts: string[]): Promise<void> {
    for (const text of texts) this.socket.push(Buffer.from(text, "latin1"));
    await turn();
  }

  /** The client's FIN. */
  async ends(): Promise<void> {
    this.socket.push(null);
    await turn();
  }

  /** What the client has received since the last call. */
  async received(): Promise<string> {
    await turn();
    const text = this.#received;
    this.#received = "";
    return text;
  }

  /** Answers the oldest request that waits. */
  reply(body = "ok", status = 200, ...flat: string[]): Exchange {
    const exchange = this.submitted.shift() ?? assert.fail("no request waits");
    exchange.complete(status, "", fieldsOf(...flat), body);
    return exchange;
  }
}

export const get = (path: string, ...fields: string[]): string =>
  `${[`GET ${path} HTTP/1.1`, "Host: h", ...fields].join("\r\n")}\r\n\r\n`;

/** A response of 200 with a body. */
export const ok = (body: string, ...fields: string[]): string =>
  `${["HTTP/1.1 200 OK", `Content-Length: ${body.length}`, ...fields].join("\r\n")}\r\n\r\n${body}`;

test("a request is answered", async () => {
  const client = new Client();
  await client.sends(get("/a"));
  client.reply();
  assert.equal(await client.received(), ok("ok"));
  assert.deepEqual(client.told, ["done /a 200 2"]);
});
