/** The session's machine against a client that is bytes: any split of them, flow control both ways, and what ends a client that works against us. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { errorName } from "./errors.ts";
import { Flag, FrameType, PREFACE, Setting } from "./frames.ts";
import { HpackEncoder } from "./hpack-encoder.ts";
import { Http2Session, type SessionHandler } from "./session.ts";
import type { Http2StreamState } from "./stream.ts";

const SETTINGS = {
  maxConcurrentStreams: 10,
  initialWindowSize: 65_535,
  maxFrameSize: 16_384,
  maxHeaderListSize: 16_384,
  extendedConnect: false,
};
const GET = [":method", "GET", ":scheme", "http", ":path", "/", ":authority", "h"];

function frame(type: number, flags: number, stream: number, payload: Buffer | string = ""): Buffer {
  const body = typeof payload === "string" ? Buffer.from(payload, "latin1") : payload;
  const head = Buffer.alloc(9);
  head.writeUIntBE(body.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, body]);
}

/** Fields that leave no trace in the table, so that sections may be split and mixed. */
function section(flat: readonly string[]): Buffer {
  const text: Buffer[] = [];
  for (let i = 0; i < flat.length; i += 2) {
    const [name, value] = [flat[i]!, flat[i + 1]!];
    assert.ok(name.length < 127 && value.length < 127);
    text.push(
      Buffer.from([0, name.length]),
      Buffer.from(name),
      Buffer.from([value.length]),
      Buffer.from(value, "latin1"),
    );
  }
  return Buffer.concat(text);
}

const headers = (id: number, flags: number = Flag.endHeaders | Flag.endStream, flat = GET): Buffer =>
  frame(FrameType.headers, flags, id, section(flat));
const four = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
};
const windowUpdate = (id: number, by: number): Buffer => frame(FrameType.windowUpdate, 0, id, four(by));
const reset = (id: number): Buffer => frame(FrameType.reset, 0, id, four(8));
const setting = (name: number, value: number): Buffer => {
  const bytes = Buffer.alloc(6);
  bytes.writeUInt16BE(name);
  bytes.writeUInt32BE(value, 2);
  return frame(FrameType.settings, 0, 0, bytes);
};
const START = Buffer.concat([Buffer.from(PREFACE), frame(FrameType.settings, 0, 0)]);

/** A session with an ear on everything. */
class House implements SessionHandler {
  readonly told: string[] = [];
  readonly streams: Http2StreamState[] = [];
  readonly session: Http2Session;
  answer: ((stream: Http2StreamState) => void) | null = null;

  constructor(differences: Partial<typeof SETTINGS> = {}) {
    this.session = new Http2Session({ ...SETTINGS, ...differences }, this);
    this.session.out.writer.take();
    this.session.push(START);
    this.sent();
  }

  onRequest(stream: Http2StreamState, flat: readonly string[] | null): void {
    this.streams.push(stream);
    this.told.push(`request ${stream.id} ${flat === null ? "too large" : flat.join(" ")}`);
    stream.handler = {
      onData: (chunk) => {
        this.told.push(`data ${stream.id} ${chunk.toString("latin1")}`);
        this.session.consume(stream, chunk.length);
      },
      onEnd: () => this.told.push(`end ${stream.id}`),
      onReset: (code) => this.told.push(`reset ${stream.id} ${errorName(code)}`),
      onTaken: (bytes) => this.told.push(`taken ${stream.id} ${bytes}`),
    };
    this.answer?.(stream);
  }
  onStreamClosed(): void {}
  onPong(): void {
    this.told.push("pong");
  }
  onGoaway(): void {
    this.told.push("goaway");
  }
  onError(code: number, detail: string): void {
    this.told.push(`error ${errorName(code)}: ${detail}`);
  }

  get error(): string {
    return this.told.find((line) => line.startsWith("error"))?.split(":")[0] ?? "none";
  }

  /** Our frames since the last call, in words. */
  sent(): string[] {
    const bytes = Buffer.concat(this.session.out.writer.take());
    const words: string[] = [];
    for (let at = 0; at < bytes.length; at += 9 + bytes.readUIntBE(at, 3)) {
      const length = bytes.readUIntBE(at, 3);
      const [type, flags, id] = [bytes[at + 3]!, bytes[at + 4]!, bytes.readUInt32BE(at + 5)];
      const name = Object.entries(FrameType).find(([, number]) => number === type)![0];
      const code = type === FrameType.reset ? ` ${errorName(bytes.readUInt32BE(at + 9))}` : "";
      const ends = (type === FrameType.data || type === FrameType.headers) && (flags & 1) !== 0 ? " end" : "";
      words.push(`${name} ${id}${type === FrameType.data ? ` ${length}` : ""}${code}${ends}`);
    }
    return words;
  }
}

test("any split of the bytes tells the same", () => {
  const bytes = Buffer.concat([
    headers(1),
    headers(3, Flag.endHeaders, [...GET.slice(2), ":method", "POST"]),
    frame(FrameType.data, 0, 3, "abc"),
    frame(FrameType.ping, 0, 0, "12345678"),
    frame(FrameType.data, Flag.padded, 3, "\x04de\0\0\0\0"),
    frame(FrameType.headers, 0, 5, section(GET).subarray(0, 10)),
    frame(FrameType.continuation, 0, 5, section(GET).subarray(10, 11)),
    frame(FrameType.continuation, Flag.endHeaders, 5, section(GET).subarray(11)),
    frame(0x55, 0xff, 7, "unknown"),
    headers(3, Flag.endHeaders | Flag.endStream, ["x-trailer", "1"]),
    reset(5),
    frame(FrameType.goaway, 0, 0, Buffer.alloc(8)),
  ]);
  const whole = new House();
  whole.session.push(bytes);
  assert.deepEqual(whole.told, [
    `request 1 ${GET.join(" ")}`,
    "request 3 :scheme http :path / :authority h :method POST",
    "data 3 abc",
    "data 3 de",
    `request 5 ${GET.join(" ")}`,
    "end 3",
    "reset 5 CANCEL",
    "goaway",
  ]);
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: bytes.length }), { maxLength: 12 }), (cuts) => {
      const split = new House();
      let from = 0;
      for (const cut of [...cuts.sort((a, b) => a - b), bytes.length]) {
        // A copy that is spoiled afterwards: what the machine keeps has to be its own.
        const lent = Buffer.from(bytes.subarray(from, cut));
        split.session.push(lent);
        lent.fill(0xee);
        from = cut;
      }
      assert.deepEqual(split.told, whole.told);
    }),
  );
});

test("any bytes end in requests or in one error, never in an exception", () => {
  const flags = fc.constantFrom(0, 1, 4, 5, 8, 0xc, 0x24, 0x25, 0xff);
  const any = fc.record({
    type: fc.integer({ min: 0, max: 10 }),
    flags,
    id: fc.integer({ min: 0, max: 8 }),
    payload: fc.oneof(fc.uint8Array({ maxLength: 20 }), fc.constant(section(GET))),
  });
  fc.assert(
    fc.property(fc.array(any, { maxLength: 30 }), (frames) => {
      const house = new House();
      for (const { type, flags, id, payload } of frames)
        house.session.push(frame(type, flags, id, Buffer.from(payload)));
      assert.ok(house.told.filter((line) => line.startsWith("error")).length <= 1);
    }),
    { numRuns: 2000 },
  );
});

test("a response waits for the stream's window, and goes on with it", () => {
  const house = new House();
  house.session.push(setting(Setting.initialWindowSize, 10));
  house.answer = (stream) => house.session.out.complete(stream, [":status", "200"], Buffer.alloc(25));
  house.session.push(headers(1));
  assert.deepEqual(house.sent(), ["settings 0", "headers 1", "data 1 10"]);
  house.session.push(windowUpdate(1, 5));
  assert.deepEqual(house.sent(), ["data 1 5"]);
  house.session.push(setting(Setting.initialWindowSize, 100));
  assert.deepEqual(house.sent(), ["settings 0", "data 1 10 end"]);
  assert.equal(house.session.streams, 0);
});

test("streams take turns in the connection's window, and none is lost when it opens", () => {
  const house = new House();
  house.session.push(setting(Setting.initialWindowSize, 1_000_000));
  house.answer = (stream) => house.session.out.complete(stream, [":status", "200"], Buffer.alloc(50_000));
  house.session.push(Buffer.concat([headers(1), headers(3)]));
  const first = house.sent().filter((word) => word.startsWith("data"));
  assert.deepEqual(first, ["data 1 16384", "data 1 16384", "data 1 16384", "data 1 848 end", "data 3 15535"]);
  house.session.push(windowUpdate(0, 100_000));
  assert.deepEqual(house.sent(), ["data 3 16384", "data 3 16384", "data 3 1697 end"]);
});

test("while the socket takes nothing no DATA is written", () => {
  const house = new House();
  house.session.out.isBlocked = true;
  house.answer = (stream) => house.session.out.complete(stream, [":status", "200"], "hello");
  house.session.push(headers(1));
  assert.deepEqual(house.sent(), ["headers 1"]);
  house.session.out.isBlocked = false;
  house.session.out.pump();
  assert.deepEqual(house.sent(), ["data 1 5 end"]);
});

test("a response before the request's end is followed by RST_STREAM with NO_ERROR; what comes late is ignored", () => {
  const house = new House();
  house.answer = (stream) => house.session.out.complete(stream, [":status", "413"], "no");
  house.session.push(headers(1, Flag.endHeaders));
  assert.deepEqual(house.sent(), ["headers 1", "data 1 2 end", "reset 1 NO_ERROR"]);
  house.session.push(
    Buffer.concat([frame(FrameType.data, 0, 1, "late"), headers(1, 5, ["x", "y"]), windowUpdate(1, 1), reset(1)]),
  );
  assert.equal(house.error, "none");
});

test("a second header section that does not end its stream is malformed, whenever it comes", () => {
  const house = new House();
  house.answer = (stream) => house.session.out.complete(stream, [":status", "413"], "no");
  house.session.push(headers(1, Flag.endHeaders));
  house.sent();
  house.session.push(headers(1, Flag.endHeaders, ["x", "y"]));
  assert.deepEqual([house.sent(), house.error], [["reset 1 PROTOCOL_ERROR"], "none"]);
});

test("who has reset a stream itself knows that it is closed, even where we had reset it before", () => {
  for (const late of [headers(1, 5, ["x", "y"]), frame(FrameType.data, 0, 1, "late")]) {
    const house = new House();
    house.answer = (stream) => house.session.out.complete(stream, [":status", "413"], "no");
    house.session.push(Buffer.concat([headers(1, Flag.endHeaders), reset(1), late]));
    assert.equal(house.error, "error STREAM_CLOSED");
  }
});

test("the rest of many bodies that nobody wants is no flood", () => {
  const house = new House();
  house.answer = (stream) => house.session.out.complete(stream, [":status", "413"], "no");
  for (let id = 1; id < 200; id += 2) house.session.push(headers(id, Flag.endHeaders));
  for (let count = 0; count < 5000; count++) house.session.push(frame(FrameType.data, 0, 1, Buffer.alloc(16_384)));
  assert.equal(house.error, "none");
});

test("a body is credited as it is taken, and more than the window is refused", () => {
  const house = new House();
  house.session.push(frame(FrameType.settings, Flag.ack, 0));
  house.session.push(headers(1, Flag.endHeaders));
  for (let i = 0; i < 3; i++) house.session.push(frame(FrameType.data, 0, 1, Buffer.alloc(16_384)));
  assert.deepEqual(house.sent(), ["windowUpdate 1"]);
  house.streams[0]!.handler!.onData = () => {};
  for (let i = 0; i < 5; i++) house.session.push(frame(FrameType.data, 0, 1, Buffer.alloc(16_384)));
  assert.deepEqual(house.sent().at(-1), "reset 1 FLOW_CONTROL_ERROR");
});

test("DATA that is not of the promised length breaks its stream", () => {
  const cases: [number, string, boolean][] = [
    [3, "abcd", false],
    [3, "ab", true],
    [0, "a", false],
  ];
  for (const [promised, body, ends] of cases) {
    const house = new House();
    house.answer = (stream) => (stream.promised = promised);
    house.session.push(headers(1, Flag.endHeaders));
    house.session.push(frame(FrameType.data, ends ? 1 : 0, 1, body));
    assert.deepEqual(house.sent(), ["reset 1 PROTOCOL_ERROR"]);
    assert.equal(house.told.at(-1), "reset 1 PROTOCOL_ERROR");
  }
  const short = new House();
  short.answer = (stream) => (stream.promised = 3);
  short.session.push(Buffer.concat([headers(1, Flag.endHeaders), headers(1, 5, ["x-trailer", "1"])]));
  assert.deepEqual(short.sent(), ["reset 1 PROTOCOL_ERROR"]);
});

test("more streams than allowed are refused, and the tables stay in step", () => {
  const house = new House({ maxConcurrentStreams: 2 });
  const encoder = new HpackEncoder();
  for (const id of [1, 3, 5]) {
    const bytes = Buffer.alloc(200);
    const end = encoder.encode([...GET, "x-name", "value"], bytes, 0);
    house.session.push(frame(FrameType.headers, 5, id, bytes.subarray(0, end)));
  }
  assert.deepEqual(house.sent(), ["reset 5 REFUSED_STREAM"]);
  assert.equal(house.told.filter((line) => line.endsWith("x-name value")).length, 2);
});

test("after GOAWAY new streams are ignored, old ones are answered", () => {
  const house = new House();
  house.session.push(headers(1));
  house.session.refuseNew();
  house.session.push(headers(3));
  house.session.out.complete(house.streams[0]!, [":status", "200"], "x");
  assert.deepEqual(house.sent(), ["goaway 0", "headers 1", "data 1 1 end"]);
  assert.equal(house.streams.length, 1);
});

const many = (count: number, make: (i: number) => Buffer): Buffer =>
  Buffer.concat(Array.from({ length: count }, (_, i) => make(i)));
const FLOODS: readonly [string, Buffer][] = [
  ["rapid reset", many(300, (i) => Buffer.concat([headers(2 * i + 1), reset(2 * i + 1)]))],
  ["our own resets provoked", many(300, (i) => Buffer.concat([headers(2 * i + 1), windowUpdate(2 * i + 1, 0)]))],
  ["refused streams", many(300, (i) => headers(2 * i + 1))],
  ["PING", many(3000, () => frame(FrameType.ping, 0, 0, "12345678"))],
  ["SETTINGS", many(3000, () => frame(FrameType.settings, 0, 0))],
  ["PRIORITY", many(3000, (i) => frame(FrameType.priority, 0, 2 * i + 1, Buffer.alloc(5)))],
  ["WINDOW_UPDATE", many(3000, () => windowUpdate(0, 1))],
  ["unknown frames", many(3000, () => frame(0x77, 0, 0))],
  ["empty DATA", Buffer.concat([headers(1, 4), many(3000, () => frame(FrameType.data, 0, 1))])],
  [
    "DATA in drops for a stream that we have reset",
    Buffer.concat([headers(1, 4), windowUpdate(1, 0), many(3000, () => frame(FrameType.data, 0, 1, "x"))]),
  ],
  [
    "HEADERS for a stream that we have reset",
    Buffer.concat([headers(1, 4), windowUpdate(1, 0), many(3000, () => headers(1))]),
  ],
  [
    "CONTINUATION",
    Buffer.concat([headers(1, 0), many(100, () => frame(FrameType.continuation, 0, 1, "\0\x01a\x01b"))]),
  ],
];
for (const [what, bytes] of FLOODS)
  test(`flood: ${what} ends the connection with ENHANCE_YOUR_CALM`, () => {
    const house = new House();
    house.session.push(bytes);
    assert.equal(house.error, "error ENHANCE_YOUR_CALM");
    assert.equal(house.sent().at(-1), "goaway 0");
  });

test("a client that reads much is no flood: what we send earns it its WINDOW_UPDATEs", () => {
  const house = new House();
  house.session.push(setting(Setting.initialWindowSize, 0));
  house.answer = (stream) => house.session.out.complete(stream, [":status", "200"], Buffer.alloc(10_000_000));
  house.session.push(headers(1));
  for (let i = 0; i < 10_000; i++) {
    house.session.push(Buffer.concat([windowUpdate(0, 1000), windowUpdate(1, 1000)]));
    house.session.out.writer.take();
  }
  assert.equal(house.error, "none");
  assert.equal(house.session.streams, 0);
});

test("patience comes back with time", () => {
  const house = new House();
  for (let i = 0; i < 10; i++) {
    house.session.push(many(1500, () => frame(FrameType.ping, 0, 0, "12345678")));
    house.session.tick(4);
  }
  assert.equal(house.error, "none");
});

test("a head beyond the list limit is told, not read", () => {
  const house = new House({ maxHeaderListSize: 250 });
  house.session.push(headers(1, 5, [...GET, "x", "v".repeat(100)]));
  assert.equal(house.told[0], "request 1 too large");
});
