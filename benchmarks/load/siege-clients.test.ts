/** The clients of a siege, against servers that serve them well, badly, or not at all. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type IncomingMessage, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { after, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

import { normalClient } from "./normal-client.ts";
import { SlowClients } from "./slow-clients.ts";
import { uploads } from "./uploads.ts";

const servers: Server[] = [];
after(() => {
  for (const server of servers) server.close().closeAllConnections();
});

async function serve(listener: RequestListener): Promise<number> {
  const server = createServer(listener).listen(0, "127.0.0.1");
  servers.push(server);
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

async function length(request: IncomingMessage): Promise<number> {
  let bytes = 0;
  for await (const piece of request) bytes += (piece as Buffer).length;
  return bytes;
}

test("a normal client asks at its rate, and counts who is not served within its patience as lost", async () => {
  let count = 0;
  const port = await serve((request, response) => {
    count++;
    // Of four one is never answered, one gets an error.
    if (count % 4 === 0) return;
    response.writeHead(count % 4 === 1 ? 503 : 200).end("hello");
    void request.resume();
  });
  const over = Promise.withResolvers<void>();
  const running = normalClient({ port, path: "/", perSecond: 200, patienceMs: 1500 }, over.promise);
  while (count < 40) await sleep(5);
  over.resolve();
  const asked = await running;
  assert.ok(asked.length >= 40);
  const lost = asked.filter(({ isAnswered }) => !isAnswered);
  const share = lost.length / asked.length;
  assert.ok(share > 0.4 && share < 0.6, `${lost.length} of ${asked.length}`);
  assert.ok(lost.every(({ ms }) => ms === 1500));
});

test("slow clients read and write slowly, and know who was served and who was cut off", async () => {
  const written: IncomingMessage[] = [];
  const port = await serve((request, response) => {
    if (request.method === "GET") response.end(Buffer.alloc(2_000_000));
    else written.push(request);
  });
  const slow = new SlowClients(port);
  await slow.dribble("/length", 4);
  const { all } = await slow.read("/large", 3, 50_000);
  await all;
  assert.deepEqual([slow.reading, slow.cutOff], [3, 0]);
  while (written.length < 4) await sleep(5);
  written[0]!.socket.destroy();
  while (slow.cutOff === 0) await sleep(5);
  assert.equal(slow.cutOff, 1);
  // Each has written some bytes at most.
  assert.ok(written.every(({ socket }) => socket.bytesRead < 300));
  slow.close();
  await sleep(0);
  assert.equal(slow.cutOff, 1);
});

test("uploads are whole, one after the other on one connection, and a wrong answer is a fault", async () => {
  let [bodies, connections] = [0, 0];
  const port = await serve((request, response) => {
    bodies++;
    void length(request).then((bytes) => response.end(String(bytes)));
  });
  servers.at(-1)!.on("connection", () => connections++);
  const { requests, faults } = await uploads({ port, path: "/length", bytes: 2_500_000, seconds: 0.2 });
  assert.deepEqual([requests, connections, faults], [bodies, 1, []]);
  const liar = await serve((request, response) => void length(request).then(() => response.end("5")));
  assert.deepEqual((await uploads({ port: liar, path: "/", bytes: 1000, seconds: 5 })).faults, ['status 200, "5"']);
  const cutter = await serve((request) => void request.socket.destroy());
  assert.match(
    (await uploads({ port: cutter, path: "/", bytes: 9_000_000, seconds: 5 })).faults.join(),
    /socket error/,
  );
});
