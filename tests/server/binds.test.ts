/** Where it listens, and the files it makes for that. */
import assert from "node:assert/strict";
import { existsSync, readFileSync, statSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { test } from "node:test";

import { Browser } from "../support/browser.ts";
import { startMaitred } from "../support/maitred.ts";
import { temporaryFolder, testApps } from "../support/places.ts";
import { RawClient } from "../support/raw-client.ts";

test("a Unix socket answers, and is removed at the end", async () => {
  const path = join(temporaryFolder(), "maitred.sock");
  const server = await startMaitred(["-b", `unix:${path}`, "--chdir", testApps, "wsgi_app:application"]);
  assert.deepEqual(server.addresses, [`unix:${path}`]);
  const browser = new Browser(path);
  assert.equal((await browser.get("/")).text, "hello");
  assert.ok(statSync(path).isSocket());
  browser.close();
  assert.deepEqual(await server.stop(), { code: 0, signal: null });
  assert.ok(!existsSync(path), "the socket is still there");
});

test("a Unix socket left by a killed server is taken over", async () => {
  const path = join(temporaryFolder(), "maitred.sock");
  const args = ["-b", `unix:${path}`, "--chdir", testApps, "wsgi_app:application"];
  const killed = await startMaitred(args);
  await killed.stop("SIGKILL");
  assert.ok(existsSync(path));
  const server = await startMaitred(args);
  const browser = new Browser(path);
  assert.equal((await browser.get("/")).text, "hello");
  browser.close();
  await server.stop();
});

test("two addresses answer", async () => {
  const path = join(temporaryFolder(), "maitred.sock");
  const server = await startMaitred([
    "-b",
    "127.0.0.1:0",
    "-b",
    `unix:${path}`,
    "--chdir",
    testApps,
    "wsgi_app:application",
  ]);
  assert.equal(server.addresses.length, 2);
  for (const at of [server.port, path]) {
    const browser = new Browser(at);
    assert.equal((await browser.get("/")).text, "hello");
    browser.close();
  }
  await server.stop();
});

test("--pid writes the front's pid and removes the file at the end", async () => {
  const file = join(temporaryFolder(), "maitred.pid");
  const server = await startMaitred(["-b", "127.0.0.1:0", "--pid", file, "--chdir", testApps, "wsgi_app:application"]);
  assert.equal(readFileSync(file, "utf8").trim(), String(server.pid));
  await server.stop();
  assert.ok(!existsSync(file), "the pid file is still there");
});

test("--pythonpath finds the application, --chdir is its working folder", async () => {
  const folder = temporaryFolder();
  const server = await startMaitred([
    "-b",
    "127.0.0.1:0",
    "--chdir",
    folder,
    "--pythonpath",
    testApps,
    "wsgi_app:application",
  ]);
  const browser = new Browser(server.port);
  assert.equal((await browser.get("/cwd")).text, folder);
  browser.close();
  await server.stop();
});

test("without --chdir the application is found in the folder it was started in", async () => {
  const server = await startMaitred(["-b", "127.0.0.1:0", "wsgi_app:application"], { cwd: testApps });
  const browser = new Browser(server.port);
  assert.equal((await browser.get("/cwd")).text, testApps);
  browser.close();
  await server.stop();
});

test("[::] takes IPv4 as well, and a client's address is the one that it knows itself by", async (context) => {
  if (!(await canListenOn("::1"))) return context.skip("no IPv6 here");
  const server = await startMaitred([
    "-b",
    "[::]:0",
    "--access-logfile",
    "-",
    "--access-logformat",
    "from %(h)s",
    "--chdir",
    testApps,
    "wsgi_app:application",
  ]);
  assert.match(server.addresses[0] ?? "", /^http:\/\/\[::\]:\d+$/);
  for (const address of ["127.0.0.1", "::1"]) {
    const client = await RawClient.open(server.port, address);
    await client.send("GET /remote HTTP/1.1\r\nHost: a\r\n\r\n");
    assert.equal((await client.response()).body.toString(), `'${address}' '::'`);
    client.leave();
    await server.waitForLine(new RegExp(`from ${address.replaceAll(".", "\\.")}$`, "m"));
  }
  await server.stop();
});

async function canListenOn(host: string): Promise<boolean> {
  const server = createServer();
  const could = await new Promise<boolean>((resolve) => {
    server.once("error", () => resolve(false));
    server.listen(0, host, () => resolve(true));
  });
  server.close();
  return could;
}
