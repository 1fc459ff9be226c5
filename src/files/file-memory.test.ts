/** The budget of small files in memory. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { FileMemory, KeptFile, type KeptFiles } from "./file-memory.ts";
import { represent, versionOf } from "./representation.ts";

const policy = { contentType: "text/plain", cacheControl: "", vary: [] };

function file(bytes: number): KeptFile {
  const version = versionOf({ size: bytes, mtimeMs: 0, ctimeMs: 0 }, "x", null, 0);
  const representation = represent(bytes, version, null, policy);
  return new KeptFile([{ coding: null, representation, body: Buffer.alloc(bytes) }], "same", 0);
}

test("what is used stays, what is not goes, and the budget holds", () => {
  const memory = new FileMemory(100_000);
  const files: KeptFiles = new Map();
  const used = file(20_000);
  memory.keep(files, "/used", used);
  for (let count = 0; count < 50; count++) {
    used.isUsed = true;
    memory.keep(files, `/${count}`, file(20_000));
    assert.ok(memory.bytes <= 100_000, String(memory.bytes));
    assert.equal(files.get("/used"), used);
  }
  assert.ok(files.size >= 3 && files.size <= 5, String(files.size));
  assert.ok(files.has("/49"));
});

test("all used at once is no reason to keep more than there is room for", () => {
  const memory = new FileMemory(100_000);
  const files: KeptFiles = new Map();
  for (let count = 0; count < 50; count++) {
    memory.keep(files, `/${count}`, file(20_000));
    for (const one of files.values()) one.isUsed = true;
  }
  assert.ok(memory.bytes <= 100_000);
  assert.ok(files.has("/49"), "the newest is among them");
});

test("a file that requests wait for is not forgotten under them", () => {
  const memory = new FileMemory(100_000);
  const files: KeptFiles = new Map();
  const waited = file(20_000);
  waited.waiting = [];
  memory.keep(files, "/waited", waited);
  for (let count = 0; count < 20; count++) memory.keep(files, `/${count}`, file(20_000));
  assert.equal(files.get("/waited"), waited);
});

test("the same path twice counts once, and a file that is larger than all is not kept", () => {
  const memory = new FileMemory(100_000);
  const files: KeptFiles = new Map();
  memory.keep(files, "/a", file(20_000));
  memory.keep(files, "/a", file(10_000));
  assert.equal(memory.bytes, files.get("/a")!.bytes);
  memory.keep(files, "/b", file(200_000));
  assert.ok(!files.has("/b"));
  memory.drop(files, "/a");
  memory.drop(files, "/a");
  assert.equal(memory.bytes, 0);
});
