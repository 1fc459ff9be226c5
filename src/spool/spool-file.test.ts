/** Spool files on a real disk: order, bounds, reading back, what is left behind. */
import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { BLOCK_BYTES, type SpoolFile } from "./spool-file.ts";
import { Spool } from "./spool.ts";

const folder = mkdtempSync(join(tmpdir(), "maitred-spool-"));
after(() => rmSync(folder, { recursive: true }));

function make(maxBytes = 10_000_000, where = folder): { spool: Spool; told: string[]; later: (ms: number) => void } {
  const told: string[] = [];
  let now = 0;
  const spool = new Spool(
    { folder: where, maxBytes },
    (message) => told.push(message),
    () => now,
  );
  return { spool, told, later: (ms) => (now += ms) };
}

/** Resolves when all that was given is in the file. */
function written(file: SpoolFile): Promise<void> {
  return new Promise((resolve) => {
    const look = (): void => (file.unwritten === 0 ? resolve() : undefined);
    file.onWritten = look;
    file.flush();
    look();
  });
}

describe("a spool file", () => {
  test("holds what was given, in order, under no name of its own, for this user only", async () => {
    const { spool } = make();
    const file = spool.open()!;
    const pieces = Array.from({ length: 40 }, (_, index) => Buffer.alloc(50_000 + index, index));
    for (const piece of pieces) {
      assert.equal(file.append(piece), true);
      piece.toString(); // lent: what becomes of it afterwards does not matter
    }
    const wanted = Buffer.concat(pieces);
    for (const piece of pieces) piece.fill(255);
    await written(file);
    assert.ok(readFileSync(file.path).equals(wanted));
    assert.equal(statSync(file.path).mode & 0o777, 0o600);
    assert.deepEqual(readdirSync(folder), []);
    file.close();
    assert.equal(spool.used, 0);
  });

  test("is written in blocks, the rest when it is flushed", async () => {
    const { spool } = make();
    const file = spool.open()!;
    file.append(Buffer.alloc(10));
    assert.equal(file.unwritten, 10);
    file.append(Buffer.alloc(BLOCK_BYTES));
    await new Promise<void>((resolve) => (file.onWritten = resolve));
    assert.deepEqual([file.written, file.unwritten], [BLOCK_BYTES, 10]);
    await written(file);
    assert.equal(file.size, BLOCK_BYTES + 10);
    file.close();
  });

  test("is read back from any place, as far as it is written", async () => {
    const { spool } = make();
    const file = spool.open()!;
    file.append(Buffer.from("abcdef"));
    await written(file);
    file.append(Buffer.from("unwritten"));
    const target = Buffer.alloc(100);
    const count = await new Promise<number>((resolve) => file.read(target, 2, resolve));
    assert.equal(target.toString("latin1", 0, count), "cdef");
    file.close();
  });

  test("begins anew after rewind, in the room it has", async () => {
    const { spool } = make(100);
    const file = spool.open()!;
    for (let round = 0; round < 3; round++) {
      assert.equal(file.append(Buffer.alloc(80, round)), true);
      assert.equal(file.append(Buffer.alloc(80)), false);
      await written(file);
      file.rewind();
    }
    assert.equal(spool.used, 80);
    file.close();
    assert.equal(spool.used, 0);
  });

  test("may be closed while it is being written and read", async () => {
    const { spool } = make();
    const file = spool.open()!;
    file.append(Buffer.alloc(3 * BLOCK_BYTES));
    file.read(Buffer.alloc(10), 0, () => assert.fail("read after close"));
    file.close();
    file.close();
    while (spool.used > 0) await new Promise<void>((resolve) => setImmediate(resolve));
  });
});

describe("the room for all files", () => {
  test("is shared, and refuses what does not fit, told once a minute", () => {
    const { spool, told, later } = make(1000);
    const [first, second] = [spool.open()!, spool.open()!];
    assert.equal(first.append(Buffer.alloc(600)), true);
    assert.equal(second.append(Buffer.alloc(600)), false);
    assert.equal(second.append(Buffer.alloc(400)), true);
    assert.equal(second.append(Buffer.alloc(1)), false);
    assert.equal(told.length, 1);
    assert.match(told[0]!, /--spool-max/);
    later(61_000);
    assert.equal(second.append(Buffer.alloc(1)), false);
    assert.equal(told.length, 2);
    first.close();
    second.close();
  });

  test("a folder that is not there, or no room at all, gives no file", () => {
    const gone = make(1000, join(folder, "gone"));
    assert.equal(gone.spool.open(), null);
    assert.match(gone.told[0]!, /--spool-dir/);
    const none = make(0);
    assert.deepEqual([none.spool.open(), none.told], [null, []]);
  });
});
