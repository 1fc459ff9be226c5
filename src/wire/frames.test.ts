import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import {
  creditFrame,
  frame,
  FrameReader,
  FromWorker,
  MAX_BODY_FRAME,
  MAX_PAYLOAD,
  putHeader,
  ToWorker,
  WireError,
} from "./frames.ts";

/** What a reader tells of some chunks; the pieces of one body joined, as their cuts mean nothing. */
function eventsOf(chunks: readonly Uint8Array[]): string[] {
  const events: string[] = [];
  let bodyId = -1;
  const reader = new FrameReader({
    onFrame(type, arg, payload) {
      bodyId = -1;
      events.push(`${type} ${arg} ${payload.toString("hex")}`);
    },
    onBody(id, piece) {
      assert.ok(piece.length > 0);
      if (id === bodyId) events.push(events.pop()! + piece.toString("hex"));
      else events.push(`body ${id} ${piece.toString("hex")}`);
      bodyId = id;
    },
  });
  for (const chunk of chunks) reader.push(Buffer.from(chunk));
  return events;
}

function header(type: number, arg: number, length: number): Buffer {
  const bytes = Buffer.alloc(8);
  putHeader(bytes, 0, type, arg, length);
  return bytes;
}

describe("frames", () => {
  test("are little-endian: length, type, 24 bits of argument, payload", () => {
    assert.equal(frame(ToWorker.end, 0x030201).toString("hex"), "0000000003010203");
    assert.equal(frame(ToWorker.body, 5, Buffer.from("ab")).toString("hex"), "02000000020500006162");
    assert.equal(creditFrame(ToWorker.credit, 0xffffff, 0xfffffffe).toString("hex"), "0400000005fffffffeffffff");
  });

  test("come out as they went in, at the limits of length and argument too", () => {
    const longest = Buffer.alloc(MAX_PAYLOAD, 7);
    const types: number[] = [];
    const reader = new FrameReader({
      onFrame: (type, arg, payload) => types.push(type, arg, payload.length),
      onBody: (id, piece) => types.push(id, piece.length),
    });
    reader.push(frame(FromWorker.responses, 0xffffff, longest));
    reader.push(frame(FromWorker.body, 0xffffff, longest.subarray(0, MAX_BODY_FRAME)));
    reader.push(frame(FromWorker.body, 1));
    reader.push(frame(FromWorker.idle, 0));
    assert.deepEqual(types, [0x41, 0xffffff, MAX_PAYLOAD, 0xffffff, MAX_BODY_FRAME, 0x46, 0, 0]);
  });
});

describe("the split of the bytes changes nothing", () => {
  const anyFrame = fc
    .tuple(
      fc.constantFrom(0x41, 0x43, 0x44, 0x44, 0x45, 0x48, 0x7f),
      fc.nat(0xffffff),
      fc.uint8Array({ maxLength: 40 }),
    )
    .map(([type, arg, payload]) => frame(type, arg, Buffer.from(payload)));

  test("frames of any kind, cut anywhere", () => {
    fc.assert(
      fc.property(fc.array(anyFrame, { maxLength: 6 }), fc.array(fc.nat(400)), (frames, cuts) => {
        const whole = Buffer.concat(frames);
        const places = [0, ...cuts.map((cut) => cut % (whole.length + 1)).toSorted((a, b) => a - b), whole.length];
        const chunks = places.slice(1).map((place, i) => whole.subarray(places[i], place));
        const expected = eventsOf([whole]);
        assert.deepEqual(eventsOf(chunks), expected);
        assert.deepEqual(eventsOf([...whole].map((byte) => Uint8Array.of(byte))), expected);
      }),
    );
  });

  test("a body is passed on as it arrives, without waiting for its frame to be whole", () => {
    const bytes = frame(FromWorker.body, 3, Buffer.from("abcd"));
    assert.deepEqual(eventsOf([bytes.subarray(0, 8)]), []);
    assert.deepEqual(eventsOf([bytes.subarray(0, 10)]), ["body 3 6162"]);
  });

  test("an incomplete frame is told of when its last byte is there, not before", () => {
    const bytes = frame(FromWorker.abort, 3, Buffer.from("why"));
    for (let cut = 0; cut < bytes.length; cut++) assert.deepEqual(eventsOf([bytes.subarray(0, cut)]), []);
  });
});

describe("what cannot be a frame is refused by its header alone", () => {
  for (const [title, bytes] of [
    ["a payload beyond 16 MiB", header(FromWorker.responses, 0, MAX_PAYLOAD + 1)],
    ["the longest length there is", header(FromWorker.head, 1, 0xffffffff)],
    ["a body frame beyond 256 KiB", header(FromWorker.body, 1, MAX_BODY_FRAME + 1)],
  ] as const) {
    test(title, () => {
      assert.throws(() => eventsOf([bytes]), WireError);
      assert.throws(() => eventsOf([bytes.subarray(0, 5), bytes.subarray(5)]), WireError);
      assert.throws(() => eventsOf([Buffer.concat([frame(FromWorker.idle, 0), bytes])]), WireError);
    });
  }
});
