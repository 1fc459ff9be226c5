/** A seat over a Duplex that stands for its link: what it writes is collected, what a worker would write is pushed. */
import assert from "node:assert/strict";
import { Duplex } from "node:stream";
import { describe, test } from "node:test";
import { FakeClock } from "../clock.test.ts";
import { Exchange } from "../http/exchange.ts";
import { headOf, RecordingSink, SAMPLE_PEER, sampleExchange } from "../http/exchange.test.ts";
import type { RequestBody } from "../http/request-body.ts";
import { SocketStream } from "../streams/byte-stream.ts";
import { frame, FromWorker, ToWorker } from "../wire/frames.ts";
import { dumpedByPython } from "../wire/python.test.ts";
import { EnvironEncoder } from "../wire/request-encoder.ts";
import { WorkerSeat } from "./seat.ts";
import type { SeatOwner } from "./seat-owner.ts";
import { TurnEnd } from "./turn-end.ts";

const EXPRESSIONS = {
  ok0: "[(0, '200 OK', [], b'x')]",
  ok1: "[(1, '200 OK', [], b'y')]",
  ok10: "[(1, '200 OK', [], b'y'), (0, '200 OK', [], b'x')]",
  ok0then9: "[(0, '200 OK', [], b'x'), (9, '200 OK', [], b'')]",
  twice: "[(0, '200 OK', [], b'x'), (0, '200 OK', [], b'x')]",
  bad0: "[(0, '200 OK', [('A', 'b\\r\\n')], b'x')]",
  head: "('200 OK', [])",
  badHead: "('99', [])",
  hint: "(103, [(b'link', b'</a>')])",
  trailers: "[(b'x-sum', b'1')]",
} as const;
type Payload = keyof typeof EXPRESSIONS;
const dumped = dumpedByPython(Object.values(EXPRESSIONS));
export const payload = (name: Payload): Buffer => dumped[Object.keys(EXPRESSIONS).indexOf(name)]!;

export class Link {
  readonly written: Buffer[] = [];
  readonly sink: RecordingSink = new RecordingSink();
  readonly clock: FakeClock = new FakeClock();
  /** What the seat told its owner. */
  readonly told: string[] = [];
  /** What was buffered of a response each time that its client was called slow. */
  readonly bufferedWhenSlow: number[] = [];
  readonly seat: WorkerSeat;
  readonly #duplex: Duplex;

  constructor({ concurrent = false }: { concurrent?: boolean } = {}) {
    const duplex = new Duplex({
      read() {},
      write: (chunk: Buffer, _encoding, done) => {
        this.written.push(Buffer.from(chunk));
        done();
      },
    });
    this.#duplex = duplex;
    const owner: SeatOwner = {
      onFinished: (_seat, exchange, ms) => this.told.push(`finished ${exchange.head.path} ${ms}`),
      onRoom: () => {},
      onBroken: (_seat, error) => this.told.push(`broken: ${error.message}`),
      onClosed: () => this.told.push("closed"),
      onSlowClient: (exchange) => this.bufferedWhenSlow.push(exchange.bufferedBytes),
      onBadResponse: (exchange, reason) => this.told.push(`bad response ${exchange.head.path}: ${reason}`),
    };
    const encoder = new EnvironEncoder({ serverName: "127.0.0.1", serverPort: 8000, rootPath: "", mount: "" });
    const identity = { name: "worker 1 (pid 7)", workerPid: 7, index: 0, concurrent, capacity: 64, remembers: false };
    this.seat = new WorkerSeat(
      (listener) => new SocketStream(duplex, listener),
      identity,
      encoder,
      owner,
      this.clock,
      new TurnEnd(),
    );
  }

  give(path: string, estimateMs = 1, timeoutMs = -1): Exchange {
    const exchange = sampleExchange(path, "GET", this.sink);
    exchange.state = "given";
    exchange.timeoutMs = timeoutMs;
    this.seat.give(exchange, estimateMs, this.clock.now());
    return exchange;
  }

  giveStreamed(text: string, stream: RequestBody): Exchange {
    const exchange = new Exchange(headOf(text), SAMPLE_PEER, this.sink, 0);
    exchange.stream = stream;
    exchange.state = "given";
    this.seat.give(exchange, 1, this.clock.now());
    return exchange;
  }

  /** The worker says. */
  says(...bytes: readonly Buffer[]): void {
    this.#duplex.emit("data", Buffer.concat(bytes));
  }

  responses(name: Payload, us = 500, type: number = FromWorker.responses): void {
    this.says(frame(type, us, payload(name)));
  }

  /** The frames written since the last call: type, arg and length of REQUESTS, payload of the rest. */
  frames(): string[] {
    const names = new Map<number, string>(Object.entries(ToWorker).map(([name, type]) => [type, name]));
    const bytes = Buffer.concat(this.written);
    this.written.length = 0;
    const frames: string[] = [];
    for (let at = 0; at < bytes.length;) {
      const length = bytes.readUInt32LE(at);
      const name = names.get(bytes[at + 4]!)!;
      const inside = bytes.subarray(at + 8, at + 8 + length);
      const what =
        name === "requests"
          ? `of ${inside.readUInt32LE(1)}`
          : name === "credit"
            ? inside.readUInt32LE(0)
            : length > 20
              ? `${length} bytes`
              : inside;
      frames.push(`${name} ${bytes.readUIntLE(at + 5, 3)} ${String(what)}`.trim());
      at += 8 + length;
    }
    return frames;
  }
}

export const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe("the link", () => {
  test("ends after what is gathered has left", async () => {
    const link = new Link();
    link.give("/a");
    link.seat.close();
    assert.deepEqual(link.frames(), ["requests 0 of 1"]);
    assert.equal(link.seat.isOpen, false);
    link.seat.destroy();
    await turn();
    assert.deepEqual(link.told, ["closed"]);
  });

  test("a ping is answered by a pong", () => {
    const link = new Link({ concurrent: true });
    const pongs: number[] = [];
    link.seat.onPong = (arg) => pongs.push(arg);
    link.seat.ping(3);
    assert.deepEqual(link.frames(), ["ping 3"]);
    link.says(frame(FromWorker.pong, 3));
    assert.deepEqual(pongs, [3]);
  });
});
