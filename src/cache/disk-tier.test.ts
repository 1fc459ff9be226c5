/** The disk tier against files that somebody else changes, removes or hinders; and what it still knows at the next start. */
import assert from "node:assert/strict";
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, suite, test } from "node:test";
import { FakeClock } from "../clock.test.ts";
import type { Log } from "../telemetry/log.ts";
import { DiskTier } from "./disk-tier.ts";
import type { PurgeWish } from "./purge.ts";
import { ResponseCache } from "./response-cache.ts";
import { storedResponse } from "./house.test.ts";
import type { StoredResponse } from "./stored-response.ts";

const SHELF = "http://h";
const folders: string[] = [];

class House {
  readonly folder: string;
  readonly lines: string[] = [];
  readonly clock: FakeClock = new FakeClock();
  readonly disk: DiskTier;
  readonly cache: ResponseCache;

  constructor(folder: string = mkdtempSync(join(tmpdir(), "maitred-disk-")), limitBytes: number = 1_000_000) {
    this.folder = folder;
    folders.push(folder);
    const line = (text: string): void => void this.lines.push(text);
    const log: Log = { debug: line, info: line, warning: line, error: line, critical: line };
    this.disk = new DiskTier(folder, limitBytes, false, this.clock, log);
    // Of a size with which memory keeps nothing.
    this.cache = new ResponseCache(100, this.clock, this.disk);
    this.cache.isUsed = true;
  }

  files(): string[] {
    return readdirSync(this.folder, { recursive: true, encoding: "utf8" })
      .filter((name) => /\.(?:response|past)$/.test(name))
      .map((name) => join(this.folder, name));
  }

  async keep(target: string, body: string, terms: Parameters<typeof storedResponse>[0] = {}): Promise<void> {
    const before = this.disk.index.counts.responses;
    this.cache.keep(SHELF, target, storedResponse({ body, ...terms }));
    await until(() => this.disk.index.counts.responses > before);
  }

  entry(target: string): StoredResponse | undefined {
    return this.disk.index.resource(SHELF, target)?.variants[0];
  }

  async load(target: string): Promise<string | null> {
    const entry = this.entry(target);
    const stored = entry === undefined ? null : await this.disk.load(entry);
    return stored === null ? null : String(stored.body);
  }

  /** The same folder after a restart. */
  async next(): Promise<House> {
    await this.disk.close();
    const next = new House(this.folder);
    await next.isRead();
    return next;
  }

  async isRead(): Promise<void> {
    await this.disk.whenRead;
  }
}

after(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

async function until(isSo: () => boolean): Promise<void> {
  const deadline = performance.now() + 10_000;
  while (!isSo()) {
    if (performance.now() > deadline) throw new Error("never so");
    await new Promise((resolve) => setImmediate(resolve));
  }
}

const wish = (part: Partial<PurgeWish>): PurgeWish => ({
  paths: [],
  tags: [],
  isEverything: false,
  host: null,
  isSoft: false,
  ...part,
});

suite("a file of the disk tier", () => {
  const harms: [string, (file: string, other: string) => void][] = [
    ["cut short", (file) => truncateSync(file, readFileSync(file).length - 1)],
    ["emptied", (file) => truncateSync(file, 0)],
    ["altered in its body", (file) => flip(file, -1)],
    ["altered in its terms", (file) => flip(file, 40)],
    ["altered in its head", (file) => flip(file, 20)],
    ["with bytes behind its end", (file) => writeFileSync(file, "x", { flag: "a" })],
    ["that is another response's, whole", (file, other) => copyFileSync(other, file)],
    ["that is gone", (file) => rmSync(file)],
    ["whose whole folder is gone", (file) => rmSync(join(file, "../.."), { recursive: true })],
  ];
  for (const [what, harm] of harms)
    test(`${what} is a miss, and is asked for no more`, async () => {
      const house = new House();
      await house.isRead();
      await house.keep("/one", "first");
      const [file] = house.files();
      await house.keep("/two", "second");
      harm(
        file!,
        house.files().find((one) => one !== file)!,
      );
      assert.equal(await house.load("/one"), null);
      assert.equal(house.entry("/one"), undefined);
      // And what is stored next is written again.
      await house.keep("/three", "third");
      assert.equal(await house.load("/three"), "third");
      await house.disk.close();
    });

  function flip(file: string, at: number): void {
    const bytes = readFileSync(file);
    const place = at < 0 ? bytes.length + at : at;
    bytes[place] = bytes[place]! ^ 1;
    writeFileSync(file, bytes);
  }
});

suite("what the next start finds", () => {
  test("what was purged softly is past its time there too", async () => {
    const house = new House();
    await house.isRead();
    await house.keep("/a", "1", { hasValidator: true, tags: ["t"] });
    await house.keep("/b", "2", { hasValidator: true });
    house.clock.advance(1000);
    assert.equal(await house.cache.purge(wish({ tags: ["t"], isSoft: true })), 1);
    assert.equal(await house.load("/a"), "1");
    const next = await house.next();
    next.clock.advance(2000);
    assert.deepEqual([next.entry("/a")!.isFresh(2000), next.entry("/b")!.isFresh(2000)], [false, true]);
    assert.equal(await next.load("/a"), "1");
    await next.disk.close();
  });

  test("what was purged softly before it was written, too", async () => {
    const house = new House();
    await house.isRead();
    const roomy = new ResponseCache(100_000, house.clock, house.disk);
    roomy.isUsed = true;
    roomy.keep(SHELF, "/a", storedResponse({ body: "1", hasValidator: true }));
    await roomy.purge(wish({ isEverything: true, isSoft: true }));
    await until(() => house.files().length === 1);
    const next = await house.next();
    assert.equal(next.entry("/a")!.isFresh(1), false);
    await next.disk.close();
  });

  test("what is purged while the index is read is not found, or is past its time", async () => {
    const house = new House();
    await house.isRead();
    for (const name of ["hard", "soft", "kept"])
      await house.keep(`/${name}`, name, { hasValidator: true, tags: [name] });
    await house.disk.close();
    const next = new House(house.folder);
    await next.cache.purge(wish({ tags: ["hard"] }));
    await next.cache.purge(wish({ tags: ["soft"], isSoft: true }));
    await next.isRead();
    assert.equal(next.entry("/hard"), undefined);
    assert.deepEqual([next.entry("/soft")!.isFresh(1), next.entry("/kept")!.isFresh(1)], [false, true]);
    await next.disk.close();
    assert.equal(next.files().length, 2);
  });

  test("a 304 that says something new is written, one that says nothing new is not", async () => {
    const house = new House();
    await house.isRead();
    const before = storedResponse({ body: "1", flat: ["ETag", '"1"', "Date", "x", "X-Kind", "old"] });
    await house.keep("/a", "1", { flat: before.flat });
    const [file] = house.files();
    const same = storedResponse({ body: "1", flat: ["X-Kind", "old", "ETag", '"1"', "Date", "y"], freshUntil: 90_000 });
    house.cache.renew(SHELF, "/a", same, before);
    assert.deepEqual([house.files(), house.entry("/a")!.freshUntil], [[file], 90_000]);
    const other = storedResponse({ body: "1", flat: ["ETag", '"1"', "Date", "y", "X-Kind", "new"], tags: ["t"] });
    house.cache.renew(SHELF, "/a", other, same);
    await until(() => house.files().length === 1 && house.files()[0] !== file);
    await until(() => house.entry("/a") !== undefined);
    assert.equal(await house.cache.purge(wish({ tags: ["t"] })), 1);
    await house.disk.close();
    assert.deepEqual(house.files(), []);
  });
});

suite("a folder that two servers use for the length of a handover", () => {
  test("what one removes is a miss for the other; what one has written is the other's in the end, within its budget", async () => {
    const older = new House();
    await older.isRead();
    await older.keep("/a", "old a");
    await older.keep("/b", "old b");
    older.disk.share();
    const newer = new House(older.folder, 20_000);
    newer.disk.share();
    await newer.isRead();
    assert.equal(await newer.load("/a"), "old a");
    await older.cache.purge(wish({ paths: ["/a"] }));
    await until(() => older.files().length === 1);
    assert.equal(await newer.load("/a"), null);
    await newer.cache.purge(wish({ paths: ["/b"] }));
    await until(() => older.files().length === 0);
    assert.equal(await older.load("/b"), null);

    for (let i = 0; i < 8; i++) await older.keep(`/late${i}`, "x".repeat(5000));
    // Purged in the newer one alone, as if the older one had not heard of it.
    newer.cache.invalidate("http://h", "/late7");
    await older.disk.close();
    newer.disk.shareNoMore();
    await newer.isRead();
    assert.ok(newer.disk.index.counts.bytes <= 20_000 && newer.disk.index.counts.responses >= 2);
    assert.equal(newer.entry("/late7"), undefined);
    await newer.disk.close();
    assert.equal(newer.files().length, newer.disk.index.counts.responses);
    assert.deepEqual(
      newer.lines.filter((line) => /cannot/.test(line)),
      [],
    );
  });
});
