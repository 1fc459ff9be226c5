/** Many slow or idle clients at once, in short; benchmarks/siege.ts is the long form, with figures. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { suite, test } from "node:test";

import { Browser } from "../support/browser.ts";
import { startMaitred } from "../support/maitred.ts";
import { testApps } from "../support/places.ts";
import { RawClient } from "../support/raw-client.ts";

const start = ["-b", "127.0.0.1:0", "--chdir", testApps, "-k", "sync", "wsgi_app:application"];
const GET = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";

/** What of the process's memory is its own (proportional set size), in bytes. */
function memory(pid: number): number {
  return Number(/^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, "latin1"))?.[1] ?? 0) * 1024;
}

suite("a siege", () => {
  test("100 dribbling bodies and 20 clients that do not read leave both sync workers to everybody else", async () => {
    const server = await startMaitred(["-w", "2", ...start]);
    const slow: RawClient[] = [];
    for (let count = 0; count < 100; count++) {
      const client = await RawClient.open(server.port);
      await client.send("POST /length HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nx");
      slow.push(client);
    }
    for (let count = 0; count < 20; count++) {
      const client = await RawClient.open(server.port);
      client.socket.pause();
      await client.send("GET /large?bytes=8000000 HTTP/1.1\r\nHost: x\r\n\r\n");
      slow.push(client);
    }
    const browser = new Browser(server.port);
    for (let count = 0; count < 50; count++) {
      assert.equal((await browser.get("/")).text, "hello");
      for (const client of slow.slice(0, 100)) client.socket.write("x");
    }
    browser.close();
    for (const client of slow) client.vanish();
    assert.equal((await server.stop()).code, 0);
  });

  test("1,000 idle connections cost at most 10 KB each, and all are answered again", async () => {
    // All ask at once: on a busy machine that is an overload, which is another test's.
    const server = await startMaitred(["-w", "1", "--queue-target", "0", ...start]);
    const open = async (count: number): Promise<RawClient[]> => {
      const clients = await Promise.all(Array.from({ length: count }, () => RawClient.open(server.port)));
      for (let round = 0; round < 3; round++) await all(clients);
      return clients;
    };
    const all = async (clients: readonly RawClient[]): Promise<void> => {
      await Promise.all(
        clients.map(async (client) => {
          await client.send(GET);
          assert.equal((await client.response()).body.toString(), "hello");
        }),
      );
    };
    const clients = await open(200); // what is made once is there
    const before = memory(server.pid);
    while (clients.length < 1200) clients.push(...(await open(100)));
    const each = (memory(server.pid) - before) / 1000;
    assert.ok(each < 10_240, `${each} bytes`);
    await all(clients);
    for (const client of clients) client.leave();
    await server.stop();
  });
});
