/** An upgrade with a cache folder: for a while two servers have the same responses, and neither gives one that was purged at the other. */
import assert from "node:assert/strict";
import { readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { suite, test } from "node:test";

import { Browser, type Page } from "../support/browser.ts";
import { FRESH, target, until } from "../support/cache.ts";
import { command } from "../support/command.ts";
import { Gates } from "../support/gates.ts";
import { type Maitred, startMaitred } from "../support/maitred.ts";
import { temporaryFolder, testApps } from "../support/places.ts";
import { isAlive } from "../support/processes.ts";

const READY = /Upgrade: the new server \(pid (\d+)\) is ready/;
const HOST = { host: "site.example" };

const page = (path: string, more: string = ""): string => target(path, { ...FRESH, "Cache-Tag": path.slice(1) }, more);
const from = (visitor: Browser, path: string, more: string = ""): Promise<Page> => visitor.get(page(path, more), HOST);
const said = async (visitor: Browser, path: string, more: string = ""): Promise<string> =>
  String((await from(visitor, path, more)).headers["cache-status"]);

async function start(gates: Gates, folder: string, store: string): Promise<Maitred> {
  const settings = join(temporaryFolder(), "maitred.toml");
  const lines = [
    'app = "cache_app:application"',
    'bind = "127.0.0.1:0"',
    `chdir = ${JSON.stringify(testApps)}`,
    "workers = 1",
    "threads = 8",
    `cache-disk = ${JSON.stringify(folder)}`,
    store,
    'cache = { purge-from = ["127.0.0.1"] }',
  ];
  writeFileSync(settings, `${lines.join("\n")}\n`);
  return await startMaitred(["-c", settings], { env: gates.env });
}

async function upgraded(server: Maitred): Promise<number> {
  server.signal("SIGUSR2");
  const [, pid] = await server.waitForLine(READY);
  await server.waitForLine(/Handling the upgrade/);
  return Number(pid);
}

async function purge(pid: number, ...words: string[]): Promise<string> {
  return (await command(["cache", "purge", "-p", String(pid), ...words])).stdout.trim();
}

async function responsesOf(pid: number): Promise<number> {
  const { stdout } = await command(["status", "--json", "-p", String(pid)]);
  return (JSON.parse(stdout) as { cache: { responses: number } }).cache.responses;
}

function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".response"))
    .map((name) => join(folder, name));
}

async function end(pid: number): Promise<void> {
  if (isAlive(pid)) process.kill(pid, "SIGTERM");
  await until(async () => await Promise.resolve(!isAlive(pid)));
}

suite("an upgrade with a cache folder", { skip: process.platform !== "linux" }, () => {
  test("what is purged or changed at either server is given by neither; the new one takes the files over", async () => {
    const gates = new Gates();
    const folder = temporaryFolder();
    const server = await start(gates, folder, 'cache-memory = "8M"');
    const early = new Browser(server.port);
    for (const path of ["/one", "/two", "/three", "/four"]) await from(early, path);
    await until(async () => await Promise.resolve(filesIn(folder).length === 4));
    // It changes what its Location names.
    const change = target("/change", { Location: page("/three") }, "gate=post&status=201+Created");
    const posted = early.ask(change, { method: "POST", body: "x", headers: HOST });
    const held = from(early, "/held", "gate=held");
    await server.waitForLine(/asked for \/change POST/);
    await server.waitForLine(/asked for \/held/);
    const pid = await upgraded(server);
    await server.waitForLine(/Cache: 4 responses found/);

    const late = new Browser(server.port);
    for (const path of ["/one", "/two", "/three", "/four"]) assert.match(await said(late, path), /hit/, path);
    assert.equal(await responsesOf(server.pid), 4);
    assert.equal(await purge(pid, "--tag", "one"), "Purged: 1 response");
    assert.equal(await responsesOf(server.pid), 3, "by the command, from the new server to the old one");
    const asked = await late.ask(page("/four"), { method: "PURGE", headers: HOST });
    assert.deepEqual([asked.status, asked.text], [200, "purged 1\n"]);
    assert.equal(await responsesOf(server.pid), 2, "by a request");
    assert.equal(await purge(server.pid, "--tag", "two"), "Purged: 1 response");
    for (const path of ["/one", "/two", "/four"]) assert.match(await said(late, path), /uri-miss/, path);
    gates.open("post");
    assert.equal((await posted).status, 201);
    await until(async () => /uri-miss/.test(await said(late, "/three")));

    gates.open("held");
    assert.equal((await held).text, "/held 1");
    assert.deepEqual(await server.exited, { code: 0, signal: null });
    await server.waitForLine(/Cache: 1 response taken over/);
    assert.match(await said(late, "/held", "gate=held"), /hit/);
    assert.doesNotMatch(server.stderr(), /Cache: cannot/);
    early.close();
    late.close();
    await end(pid);
  });

  test("the bytes of the folder are within their budget when the old server has gone", async () => {
    const gates = new Gates();
    const folder = temporaryFolder();
    const server = await start(gates, folder, 'cache-memory = "8M"\ncache-disk-size = "300k"');
    const early = new Browser(server.port);
    const held = from(early, "/held", "gate=held");
    await server.waitForLine(/asked for \/held/);
    for (let i = 0; i < 12; i++) await from(early, `/a${i}`, "size=20000");
    await until(async () => await Promise.resolve(filesIn(folder).length === 12));
    const pid = await upgraded(server);
    await server.waitForLine(/Cache: 12 responses found/);
    const late = new Browser(server.port);
    for (let i = 0; i < 12; i++) await from(late, `/b${i}`, "size=20000");
    gates.open("held");
    await held;
    assert.deepEqual(await server.exited, { code: 0, signal: null });
    const bytes = (): number =>
      filesIn(folder).reduce((sum, file) => sum + (statSync(file, { throwIfNoEntry: false })?.size ?? 0), 0);
    await server.waitForLine(/Cache: 1 response taken over/);
    await until(async () => await Promise.resolve(bytes() <= 307_200));
    early.close();
    late.close();
    await end(pid);
    assert.ok(filesIn(folder).length >= 10, "and the rest is still there");
  });

  test("under load, with hardly any memory: files that the other server removes are misses and nothing else", async () => {
    const gates = new Gates();
    const folder = temporaryFolder();
    const server = await start(gates, folder, 'cache-memory = "60k"\ncache-disk-size = "400k"');
    const failures: string[] = [];
    let isOver = false;
    let answers = 0;
    const client = async (seed: number): Promise<void> => {
      const visitor = new Browser(server.port, 1);
      for (let at = seed; !isOver; at++) {
        const path = `/c${at % 30}`;
        const { status, text } = await from(visitor, path, "size=20000").catch((error: unknown) => ({
          status: 0,
          text: String(error),
        }));
        answers++;
        if (status !== 200 || !text.startsWith(`${path} `) || text.length !== 20_000)
          failures.push(`${status} ${text.slice(0, 200)}`);
      }
      visitor.close();
    };
    const clients = [0, 10, 20].map(client);
    await until(async () => await Promise.resolve(answers > 60));
    const pid = await upgraded(server);
    assert.deepEqual(await server.exited, { code: 0, signal: null });
    const before = answers;
    await until(async () => await Promise.resolve(answers > before + 60));
    isOver = true;
    await Promise.all(clients);
    assert.deepEqual(failures, []);
    assert.doesNotMatch(server.stderr(), /Cache: cannot/);
    await end(pid);
  });
});
