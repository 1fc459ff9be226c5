/** Few open files: the front lives within them. In a file of its own, since its limit binds this process too. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";

import { Browser } from "../support/browser.ts";
import { startMaitred } from "../support/maitred.ts";
import { testApps } from "../support/places.ts";
import { RawClient } from "../support/raw-client.ts";

const start = ["-b", "127.0.0.1:0", "-w", "1", "--chdir", testApps, "-k", "sync", "wsgi_app:application"];
const GET = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
const limit = (pid: number, files: number): Buffer =>
  execFileSync("prlimit", [`--pid=${pid}`, `--nofile=${files}:${files}`]);

test("more clients than open files allow are all answered: idle connections make room", async () => {
  limit(process.pid, 200);
  const server = await startMaitred(start);
  const clients: RawClient[] = [];
  for (let count = 0; count < 140; count++) {
    const client = await RawClient.open(server.port);
    await client.send(GET);
    assert.equal((await client.response()).status, 200);
    clients.push(client);
  }
  await server.waitForLine(/Closing idle connections for new ones \(--limit-connections \d+\)/);
  for (const client of clients) client.leave();
  await server.stop();
});

test("where the kernel gives no file for a connection the front goes on as soon as it does", async () => {
  const server = await startMaitred(start);
  limit(server.pid, 50);
  const clients: RawClient[] = [];
  for (let count = 0; count < 60; count++) clients.push(await RawClient.open(server.port));
  for (const client of clients) client.leave();
  const browser = new Browser(server.port);
  const ask = (): Promise<number> =>
    browser.get("/").then(
      (page) => page.status,
      () => 0,
    );
  while ((await ask()) !== 200);
  browser.close();
  assert.equal((await server.stop()).code, 0);
});
