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

  test("4,000 idle connections cost at most 10 KB each, and all are answered again", async () => {
    // All ask at once: on a busy machine that is an overload, which is another test's.
    const server = await startMaitred(["-w", "1", "--queue-target", "0", ...start]);
    const open = async (count: number): Promise<RawClient[]> => {
      const clients = await Promise.all(Array.from({ length: count }, () => RawClient.open(server.port)));
      for (let round = 0; round < 3; round++) await all(clients);
      return clients;
    };
    const all = async (clients: readonly RawClient[]): Promise<void> => {
      // In waves that fit into the queue.
      for (let from = 0; from < clients.length; from += 400) {
        await Promise.all(
          clients.slice(from, from + 400).map(async (client) => {
            await client.send(GET);
            assert.equal((await client.response()).body.toString(), "hello");
          }),
        );
      }
    };
    const clients = await open(200);
    // What is made once is there, and the heap's young generation has grown to what requests make of it.
    for (let round = 0; round < 60; round++) await all(clients);
    const before = memory(server.pid);
    while (clients.length < 4200) clients.push(...(await open(100)));
    // What the answers left behind is collected when V8 comes to it.
    let each = Infinity;
    for (let look = 0; each >= 10_240 && look < 50; look++) {
      each = (memory(server.pid) - before) / 4000;
      if (each >= 10_240) await all(clients.slice(0, 400));
    }
    assert.ok(each < 10_240, `${each} bytes`);
    await all(clients);
    for (const client of clients) client.leave();
    await server.stop();
  });
});
