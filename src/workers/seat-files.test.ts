/** Responses whose body is a file, on a seat over a link of the test's own. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { frame, FromWorker } from "../wire/frames.ts";
import { Link, payload, turn } from "./fake-link.test.ts";

/** FILE for this very file. */
const file = (path: string): Buffer =>
  frame(FromWorker.file, 0, Buffer.concat([Buffer.alloc(8), Buffer.from(`${path}\0name`)]));
const here = fileURLToPath(import.meta.url);
const head = frame(FromWorker.head, 0, payload("head"));

/** The next frames for the worker. */
async function answered(link: Link): Promise<readonly string[]> {
  for (;;) {
    const frames = link.frames();
    if (frames.length > 0) return frames;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

test("a file instead of a body ends the response when it is open, and its client may leave then", async () => {
  const link = new Link();
  const exchange = link.give("/a");
  await turn();
  link.frames();
  link.says(head, file(here));
  assert.deepEqual([link.told, link.seat.inFlight], [[], 1]);
  assert.deepEqual(await answered(link), ["fileTaken 0 \u0001"]);
  assert.deepEqual([link.told, link.seat.inFlight, link.seat.isOpen], [["finished /a 0"], 0, true]);
  exchange.leave();
  assert.deepEqual(link.frames(), []);
});

test("a file that cannot be opened is the worker's to send", async () => {
  const link = new Link();
  link.give("/a");
  await turn();
  link.frames();
  link.says(head, file("/nowhere"));
  assert.deepEqual(await answered(link), ["fileTaken 0"]);
  assert.deepEqual([link.told, link.seat.inFlight], [[], 1]);
  link.says(frame(FromWorker.body, 0, Buffer.from("x")), frame(FromWorker.end, 0));
  assert.deepEqual([link.seat.inFlight, link.sink.events.at(-1)], [0, "end /a"]);
});

test("a file before the head, after a body, twice, or without a name is a violation", () => {
  for (const [frames, reason] of [
    [[file(here)], "the rest of an answer for request 0 before its head"],
    [[head, frame(FromWorker.body, 0, Buffer.from("x")), file(here)], "a file after the body of response 0 began"],
    [[head, file(here), file(here)], "a second file for response 0"],
    [[head, frame(FromWorker.file, 0, Buffer.from("/nowhere"))], "FILE without a file"],
    [[head, frame(FromWorker.file, 0)], "FILE without a file"],
  ] as const) {
    const link = new Link();
    const exchange = link.give("/a");
    link.says(...frames);
    assert.ok(link.told.includes(`broken: ${reason}`), link.told.join());
    exchange.leave();
  }
});
