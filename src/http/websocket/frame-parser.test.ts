import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { type FrameHandler, FrameParser, Opcode } from "./frame-parser.ts";
import { closePayload, maskedFrame, webSocketFrame } from "./frame-writer.ts";

interface ClientFrame {
  readonly opcode: number;
  readonly payload: Uint8Array;
  readonly isFinal?: boolean;
  /** RSV bits, shifted as in the first byte. */
  readonly reserved?: number;
  readonly mask?: readonly [number, number, number, number] | null;
}

/** A frame as a client sends it: the server's, masked. */
export function clientFrame({
  opcode,
  payload,
  isFinal = true,
  reserved = 0,
  mask = [1, 2, 3, 4],
}: ClientFrame): Buffer {
  const frame = webSocketFrame(opcode, isFinal, false, payload);
  frame[0]! |= reserved;
  if (mask === null) return frame;
  frame[1]! |= 0x80;
  const head = frame.length - payload.length;
  const masked = frame.subarray(head).map((byte, at) => byte ^ mask[at & 3]!);
  return Buffer.concat([frame.subarray(0, head), Buffer.from(mask), masked]);
}

export const text = (words: string, isFinal = true): Buffer =>
  clientFrame({ opcode: Opcode.text, payload: Buffer.from(words), isFinal });

/** Writes down what a parser tells; messages are joined, so that it does not matter in which pieces they come. */
class Recorder implements FrameHandler {
  readonly events: string[] = [];
  #pieces: Buffer[] = [];

  onMessage(isText: boolean, piece: Buffer, isLast: boolean): void {
    this.#pieces.push(Buffer.from(piece));
    if (!isLast) return;
    const whole = Buffer.concat(this.#pieces);
    this.#pieces = [];
    this.events.push(isText ? `text ${whole.toString()}` : `binary ${whole.toString("hex")}`);
  }

  onCompressed(isText: boolean, deflated: Buffer): void {
    this.events.push(`compressed ${isText ? "text" : "binary"} ${deflated.toString("hex")}`);
  }

  onPing(payload: Buffer): void {
    this.events.push(`ping ${payload.toString("hex")}`);
  }

  onPong(payload: Buffer): void {
    this.events.push(`pong ${payload.toString("hex")}`);
  }

  onClose(code: number, reason: string): void {
    this.events.push(`close ${code} ${reason}`);
  }

  onViolation(code: number, detail: string): void {
    this.events.push(`violation ${code} ${detail}`);
  }
}

function parsed(chunks: readonly Buffer[], maxSize = 100_000, takesCompressed = true): string[] {
  const recorder = new Recorder();
  const parser = new FrameParser(recorder, maxSize, takesCompressed);
  for (const chunk of chunks) parser.push(Buffer.from(chunk));
  return recorder.events;
}

const bytes = (hex: string): Buffer => Buffer.from(hex, "hex");
const nothing = Buffer.alloc(0);

describe("frames of a client", () => {
  test("a message, and one in fragments with a ping between them", () => {
    const frames = [
      text("whole"),
      text("in ", false),
      clientFrame({ opcode: Opcode.ping, payload: Buffer.from("?") }),
      clientFrame({ opcode: Opcode.continuation, payload: Buffer.from("parts") }),
      clientFrame({ opcode: Opcode.binary, payload: nothing }),
    ];
    assert.deepEqual(parsed(frames), ["text whole", "ping 3f", "text in parts", "binary "]);
  });

  const long = Buffer.alloc(126);
  const cases: readonly [what: string, bytes: Buffer, event: string][] = [
    ["not masked", clientFrame({ opcode: 1, payload: nothing, mask: null }), "violation 1002 a frame is not masked"],
    [
      "a reserved bit",
      clientFrame({ opcode: 1, payload: nothing, reserved: 0x20 }),
      "violation 1002 a reserved bit is set",
    ],
    [
      "a compressed continuation",
      Buffer.concat([text("a", false), clientFrame({ opcode: 0, payload: nothing, reserved: 0x40 })]),
      "violation 1002 a reserved bit is set",
    ],
    [
      "a compressed ping",
      clientFrame({ opcode: 9, payload: nothing, reserved: 0x40 }),
      "violation 1002 a reserved bit is set",
    ],
    ["opcode 3", clientFrame({ opcode: 3, payload: nothing }), "violation 1002 opcode 3 is reserved"],
    ["opcode 11", clientFrame({ opcode: 11, payload: nothing }), "violation 1002 opcode 11 is reserved"],
    [
      "a ping in fragments",
      clientFrame({ opcode: 9, payload: nothing, isFinal: false }),
      "violation 1002 a control frame is fragmented",
    ],
    [
      "an oversized ping",
      clientFrame({ opcode: 9, payload: long }),
      "violation 1002 a control frame of more than 125 bytes",
    ],
    [
      "a continuation of nothing",
      clientFrame({ opcode: 0, payload: nothing }),
      "violation 1002 a continuation of no message",
    ],
    [
      "a message within another",
      Buffer.concat([text("a", false), text("b")]),
      "violation 1002 a message begins within another",
    ],
    [
      "a text that is not UTF-8",
      clientFrame({ opcode: 1, payload: bytes("ff") }),
      "violation 1007 a text that is not UTF-8",
    ],
    ["a surrogate", clientFrame({ opcode: 1, payload: bytes("eda080") }), "violation 1007 a text that is not UTF-8"],
    [
      "an overlong slash",
      clientFrame({ opcode: 1, payload: bytes("c0af") }),
      "violation 1007 a text that is not UTF-8",
    ],
    [
      "half a character",
      clientFrame({ opcode: 1, payload: bytes("e282") }),
      "violation 1007 a text that ends within a character",
    ],
    [
      "more than the limit",
      clientFrame({ opcode: 2, payload: Buffer.alloc(100_001) }),
      "violation 1009 a message of more than 100000 bytes",
    ],
    ["a length beyond 2^63", bytes("82ff8000000000000000"), "violation 1002 a length with its highest bit set"],
    [
      "a Close of one byte",
      clientFrame({ opcode: 8, payload: bytes("03") }),
      "violation 1002 a Close frame of one byte",
    ],
    ["a Close with 1005", clientFrame({ opcode: 8, payload: bytes("03ed") }), "violation 1002 close code 1005"],
    [
      "a Close with a reason that is not UTF-8",
      clientFrame({ opcode: 8, payload: bytes("03e8ff") }),
      "violation 1007 a close reason that is not UTF-8",
    ],
    ["a Close", clientFrame({ opcode: 8, payload: closePayload(4000, "grüß") }), "close 4000 grüß"],
    ["a Close without code", clientFrame({ opcode: 8, payload: nothing }), "close 1005 "],
    ["a compressed message", clientFrame({ opcode: 2, payload: bytes("aa"), reserved: 0x40 }), "compressed binary aa"],
  ];
  for (const [what, sent, event] of cases) {
    test(what, () => {
      const after = event.startsWith("compressed") ? [event, "text on"] : [event];
      assert.deepEqual(
        parsed([sent.length === 10 ? Buffer.concat([sent, bytes("00000000")]) : sent, text("on")]),
        after,
      );
    });
  }

  test("where no compression was agreed on its bit is reserved", () => {
    const sent = clientFrame({ opcode: 2, payload: nothing, reserved: 0x40 });
    assert.deepEqual(parsed([sent], 0, false), ["violation 1002 a reserved bit is set"]);
  });

  test("a wrong character is told before its frame is whole", () => {
    const sent = clientFrame({ opcode: 1, payload: bytes("41f490808041") });
    assert.deepEqual(parsed([sent.subarray(0, 9)]), ["violation 1007 a text that is not UTF-8"]);
  });

  test("too much is told by the header alone", () => {
    const sent = clientFrame({ opcode: 2, payload: Buffer.alloc(100_001) });
    assert.deepEqual(parsed([sent.subarray(0, 14)]), ["violation 1009 a message of more than 100000 bytes"]);
  });

  test("any split of the bytes gives the same messages", () => {
    const payload = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      fc.integer({ min: 60_000, max: 70_000 }).map((length) => Buffer.alloc(length, "a")),
    );
    const frame = fc.record({
      opcode: fc.constantFrom(0, 1, 2, 2, 8, 9, 10),
      payload,
      isFinal: fc.boolean(),
      reserved: fc.constantFrom(0, 0, 0, 0x40),
      mask: fc.tuple(fc.nat(255), fc.nat(255), fc.nat(255), fc.nat(255)),
    });
    fc.assert(
      fc.property(fc.array(frame, { maxLength: 6 }), fc.array(fc.nat(200_000), { maxLength: 30 }), (frames, cuts) => {
        const sent = Buffer.concat(frames.map(clientFrame));
        const at = [...new Set(cuts.map((cut) => (sent.length === 0 ? 0 : cut % sent.length)))].sort((a, b) => a - b);
        const pieces = [0, ...at].map((from, i) => sent.subarray(from, at[i] ?? sent.length));
        assert.deepEqual(parsed(pieces), parsed([sent]));
      }),
      { numRuns: 60 },
    );
  });

  test("what comes while stopped is told after it goes on", () => {
    const recorder = new Recorder();
    const parser = new FrameParser(recorder, 0, false);
    const stopping: FrameHandler = Object.assign(recorder, {});
    const onMessage = recorder.onMessage.bind(recorder);
    stopping.onMessage = (isText, piece, isLast) => {
      onMessage(isText, piece, isLast);
      parser.stop();
    };
    parser.push(Buffer.concat([text("one"), text("two"), text("three").subarray(0, 4)]));
    parser.push(text("three").subarray(4));
    assert.deepEqual(recorder.events, ["text one"]);
    parser.go();
    assert.deepEqual(recorder.events, ["text one", "text two"]);
    parser.go();
    assert.deepEqual(recorder.events, ["text one", "text two", "text three"]);
  });
});

describe("frames of a server", () => {
  const fromServer = (chunks: readonly Buffer[]): string[] => {
    const recorder = new Recorder();
    const parser = new FrameParser(recorder, 0, false, true);
    for (const chunk of chunks) parser.push(Buffer.from(chunk));
    return recorder.events;
  };

  test("are not masked, and any split of their bytes gives the same messages", () => {
    const frame = fc.record({
      opcode: fc.constantFrom(1, 2, 9, 10),
      length: fc.constantFrom(0, 1, 125, 126, 127, 65_535, 65_536, 70_000),
    });
    const frames = fc.array(frame, { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(frames, fc.array(fc.nat(200_000), { maxLength: 30 }), (all, cuts) => {
        const sent = Buffer.concat(
          all.map(({ opcode, length }) =>
            webSocketFrame(opcode, true, false, Buffer.alloc(opcode > 8 ? Math.min(length, 125) : length, "a")),
          ),
        );
        const at = [...new Set(cuts.map((cut) => cut % sent.length))].sort((a, b) => a - b);
        const pieces = [0, ...at].map((from, i) => sent.subarray(from, at[i] ?? sent.length));
        const events = fromServer(pieces);
        assert.equal(events.length, all.length);
        assert.deepEqual(events, fromServer([sent]));
      }),
      { numRuns: 60 },
    );
  });

  test("that are masked are a violation", () => {
    assert.deepEqual(fromServer([text("x")]), ["violation 1002 a server's frame is masked"]);
  });

  test("to a server are masked, and read there as they were said", () => {
    for (const length of [0, 1, 125, 126, 65_535, 65_536]) {
      const payload = Buffer.alloc(length, "0123456789");
      const frame = maskedFrame(Opcode.text, true, payload, Buffer.from([0xde, 0xad, 0xbe, 0xef]));
      assert.deepEqual(parsed([frame]), [`text ${payload.toString()}`]);
    }
  });
});
