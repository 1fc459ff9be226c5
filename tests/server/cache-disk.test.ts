/** The disk tier of the cache: what a restart finds, what memory has no room for, files that are damaged, folders that cannot be used. */
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { suite, test } from "node:test";

import { Browser, type Page } from "../support/browser.ts";
import { countOf, FRESH, target, until } from "../support/cache.ts";
import { command } from "../support/command.ts";
import { type Maitred, runMaitred, startMaitred } from "../support/maitred.ts";
import { temporaryFolder, testApps } from "../support/places.ts";

suite("the disk tier of the cache", () => {
  const start = async (folder: string, size: string = "50M", memory: string = "8M"): Promise<Maitred> =>
    await startMaitred(
      `-b 127.0.0.1:0 -w 1 --cache ${memory} --cache-disk ${folder} --cache-disk-size ${size} --chdir ${testApps} cache_app:application`.split(
        " ",
      ),
    );

  /** The same host whatever the port is. */
  const from = (visitor: Browser, url: string): Promise<Page> => visitor.get(url, { host: "site.example" });

  test("what was stored is there after a restart, younger than ever; what is damaged or purged is not", async () => {
    const folder = temporaryFolder();
    const urls = ["/one", "/two", "/three", "/four"].map((path) =>
      target(path, { ...FRESH, "Cache-Tag": path.slice(1) }),
    );
    const first = await start(folder);
    const visitor = new Browser(first.port);
    for (const url of urls) await from(visitor, url);
    await command(["cache", "purge", "-p", String(first.pid), "--tag", "four"]);
    visitor.close();
    await first.stop();

    const files = filesIn(folder);
    assert.equal(files.length, 3, "one file for each, the purged one gone");
    for (const file of files) {
      const bytes = readFileSync(file);
      if (bytes.includes("/one 1")) writeFileSync(file, bytes.subarray(0, -2));
      if (bytes.includes("/two 1"))
        writeFileSync(file, Buffer.from(bytes.toString("latin1").replace("/two 1", "/TWO 1"), "latin1"));
    }
    writeFileSync(join(folder, "00.txt"), "somebody else's");

    const second = await start(folder);
    await second.waitForLine(/Cache: 2 responses found/);
    const again = new Browser(second.port);
    const kept = await from(again, urls[2]!);
    assert.match(String(kept.headers["cache-status"]), /hit/);
    assert.match(String(kept.headers["age"]), /^\d+$/);
    assert.equal(kept.text, "/three 1");
    for (const url of [urls[0]!, urls[1]!, urls[3]!])
      assert.match(String((await from(again, url)).headers["cache-status"]), /fwd=uri-miss; stored/);
    assert.match(second.stderr(), /cannot read a file in .*it is damaged/);
    again.close();
    await second.stop();
    assert.ok(existsSync(join(folder, "00.txt")), "what is not ours stays");
  });

  test("what memory has no room for is read from there; its own budget holds", async () => {
    const folder = temporaryFolder();
    const server = await start(folder, "400k", "60k");
    const visitor = new Browser(server.port);
    const pages = Array.from({ length: 12 }, (_, i) => target(`/d${i}`, FRESH, "size=20000"));
    for (const url of pages) await from(visitor, url);
    await until(async () => await Promise.resolve(filesIn(folder).length === 12));
    for (const url of pages) assert.match(String((await from(visitor, url)).headers["cache-status"]), /hit/);
    assert.equal(await countOf("/d0", visitor), 1);
    for (let i = 0; i < 30; i++) await from(visitor, target(`/e${i}`, FRESH, "size=20000"));
    await until(async () => await Promise.resolve(filesIn(folder).length <= 20));
    visitor.close();
    await server.stop();
    const bytes = filesIn(folder).reduce((sum, file) => sum + statSync(file).size, 0);
    assert.ok(bytes <= 409_600, `${bytes} bytes`);
  });

  test("the folder of a server that is there is not shared; that of a killed one is taken over", async () => {
    const folder = temporaryFolder();
    const url = target("/mine", FRESH);
    const first = await start(folder);
    const visitor = new Browser(first.port);
    await from(visitor, url);
    await until(async () => await Promise.resolve(filesIn(folder).length === 1));
    const second = await start(folder);
    await second.waitForLine(
      new RegExp(
        `cannot use ${folder}, responses are kept in memory alone \\(--cache-disk\\): another server \\(pid ${first.pid}\\) keeps`,
      ),
    );
    const guest = new Browser(second.port);
    for (const wanted of [/fwd=uri-miss; stored/, /hit/])
      assert.match(String((await from(guest, url)).headers["cache-status"]), wanted);
    guest.close();
    assert.deepEqual(await second.stop(), { code: 0, signal: null });
    assert.equal(filesIn(folder).length, 1);
    visitor.close();
    await first.stop("SIGKILL");
    const third = await start(folder);
    await third.waitForLine(/Cache: 1 response found/);
    await third.stop();
    assert.ok(!existsSync(join(folder, "owner")), "whoever leaves leaves nothing behind");
  });

  test("a folder that cannot be used is told, and costs nothing else", async () => {
    const file = join(temporaryFolder(), "file");
    writeFileSync(file, "");
    const refused = await runMaitred(["--cache", "1m", "--cache-disk", file, "app:app"]);
    assert.equal(refused.code, 2);
    assert.match(refused.stderr, /^maitred: error: --cache-disk \S+file: \S+file is not a folder$/m);
    // This one could be made, for all that is known before: the kernel finds its name too long.
    const server = await start(join(temporaryFolder(), "x".repeat(300)));
    await server.waitForLine(/Cache: cannot use .*kept in memory alone/);
    const visitor = new Browser(server.port);
    await from(visitor, target("/m", FRESH));
    assert.match(String((await from(visitor, target("/m", FRESH))).headers["cache-status"]), /hit/);
    visitor.close();
    await server.stop();
  });
});

function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".response"))
    .map((name) => join(folder, name));
}
