/** The disk tier on a disk that is full, smaller than promised, read-only, or taken away: answers stay right, and the log says it once. */
import assert from "node:assert/strict";
import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { suite, test } from "node:test";

import { Browser, type Page } from "../support/browser.ts";
import { countOf, FRESH, target, until } from "../support/cache.ts";
import { command } from "../support/command.ts";
import { type Maitred, startMaitred } from "../support/maitred.ts";
import { temporaryFolder, testApps } from "../support/places.ts";
import { smallDisk, whyNoSmallDisk } from "../support/small-disk.ts";

const HIT = /maitred; hit/;

async function start(folder: string, memory: string = "8M"): Promise<[Maitred, Browser]> {
  const args = `-b 127.0.0.1:0 -w 1 --cache ${memory} --cache-disk ${folder} --cache-disk-size 50M --chdir ${testApps} cache_app:application`;
  const server = await startMaitred(args.split(" "));
  return [server, new Browser(server.port)];
}

/** The same host whatever the port is. */
const from = (visitor: Browser, path: string): Promise<Page> =>
  visitor.get(target(path, { ...FRESH, "Cache-Tag": path.slice(1) }, "size=20000"), { host: "site.example" });

const lines = (server: Maitred, pattern: RegExp): number =>
  server.stderr().match(new RegExp(pattern, "g"))?.length ?? 0;

function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".response"));
}

suite("the disk tier on a disk", { skip: whyNoSmallDisk() }, () => {
  test("that is full: the cache goes on from memory, says it once, and writes again when there is room", async () => {
    const disk = smallDisk(2_000_000);
    disk.fill();
    const folder = join(disk.folder, "cache");
    const [server, visitor] = await start(disk.folder);
    for (let i = 0; i < 30; i++) {
      assert.match((await from(visitor, `/f${i}`)).text, new RegExp(`^/f${i} 1\\.`));
      assert.match(String((await from(visitor, `/f${i}`)).headers["cache-status"]), HIT);
    }
    await server.waitForLine(/Cache: cannot write to .*kept in memory alone.*ENOSPC/);
    disk.free();
    let at = 100;
    await until(async () => {
      await from(visitor, `/f${at++}`);
      return filesIn(disk.folder).length > 0;
    });
    await server.waitForLine(/Cache: .* can be written again/);
    assert.equal(lines(server, /cannot write/), 1);
    assert.equal(await countOf("/f0", visitor), 1);
    visitor.close();
    await server.stop();
    assert.equal(lines(server, /Cache: /), 2, folder);
  });

  test("that is smaller than --cache-disk-size: what was used least gives way, and a restart finds the rest", async () => {
    const disk = smallDisk(1_000_000);
    const [server, visitor] = await start(disk.folder, "60k");
    for (let i = 0; i < 100; i++) assert.match((await from(visitor, `/g${i}`)).text, new RegExp(`^/g${i} 1\\.`));
    await server.waitForLine(/Cache: the disk of .* is full with \d+ bytes/);
    await until(async () => await Promise.resolve(filesIn(disk.folder).length >= 20));
    visitor.close();
    await server.stop();
    assert.equal(lines(server, /Cache: /), 1);
    const kept = filesIn(disk.folder).length;
    const [again, second] = await start(disk.folder);
    await again.waitForLine(new RegExp(`Cache: ${kept} responses found`));
    assert.match(String((await from(second, "/g99")).headers["cache-status"]), HIT);
    second.close();
    await again.stop();
  });

  test("that becomes read-only: what is purged is served no more, and is removed as soon as that can be", async () => {
    const disk = smallDisk(2_000_000);
    const [server, visitor] = await start(disk.folder);
    for (const path of ["/one", "/two"]) await from(visitor, path);
    await until(async () => await Promise.resolve(filesIn(disk.folder).length === 2));
    disk.protect(true);
    await command(["cache", "purge", "-p", String(server.pid), "--tag", "one"]);
    await server.waitForLine(/Cache: cannot remove a file in .*tried again later/);
    assert.match((await from(visitor, "/one")).text, /^\/one 2/);
    assert.match((await from(visitor, "/one")).text, /^\/one 2/);
    await server.waitForLine(/Cache: cannot write to .*EROFS/);
    assert.equal(filesIn(disk.folder).length, 2);
    disk.protect(false);
    visitor.close();
    await server.stop();
    assert.equal(filesIn(disk.folder).length, 1, "what was purged has gone with the last try");
    const [again, second] = await start(disk.folder);
    assert.match((await from(second, "/one")).text, /^\/one 1/, "of a new application");
    assert.match(String((await from(second, "/two")).headers["cache-status"]), HIT);
    second.close();
    await again.stop();
  });
});

suite("the folder of the disk tier", () => {
  test("that is removed under way is made again; what was in it is missed, not found wanting", async () => {
    const folder = join(temporaryFolder(), "cache");
    const [server, visitor] = await start(folder, "30k");
    for (const path of ["/one", "/two", "/three"]) await from(visitor, path);
    await until(async () => await Promise.resolve(filesIn(folder).length === 3));
    rmSync(folder, { recursive: true });
    // Memory holds one of them.
    for (const path of ["/one", "/two", "/three"])
      assert.match((await from(visitor, path)).text, new RegExp(`^${path} [12]`));
    await until(async () => await Promise.resolve(filesIn(folder).length >= 2));
    for (const path of ["/one", "/two"])
      assert.match(String((await from(visitor, path)).headers["cache-status"]), HIT, path);
    assert.equal(lines(server, /Cache: /), 0);
    visitor.close();
    await server.stop();
  });
});
