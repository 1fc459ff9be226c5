/** WebSockets of a real client, the websockets library for Python, in the clear and over TLS; and how open ones are spread over the workers. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";

import { authority, serverIdentity, writeIdentity } from "../support/certificates.ts";
import { startMaitred } from "../support/maitred.ts";
import { examplesPython, temporaryFolder, testApps } from "../support/places.ts";
import { WebSocketClient } from "../support/web-socket-client.ts";

const run = promisify(execFile);
const args = ["-b", "127.0.0.1:0", "--chdir", testApps, "websocket_app:application"];

for (const scheme of ["ws", "wss"] as const) {
  test(`the websockets library talks ${scheme}`, async () => {
    const folder = temporaryFolder();
    const trusted = join(folder, "authority.pem");
    writeFileSync(trusted, authority.cert);
    const files = scheme === "wss" ? writeIdentity(folder, serverIdentity("localhost")) : [];
    const server = await startMaitred([...files, "-w", "1", ...args]);
    const { stdout } = await run(examplesPython(), [
      join(testApps, "websockets_client.py"),
      `${scheme}://localhost:${server.port}/echo`,
      scheme === "wss" ? trusted : "",
    ]);
    assert.deepEqual(stdout.trim().split("\n"), [
      "subprotocol chat extensions permessage-deflate",
      "in parts",
      "closed 4003",
    ]);
    await server.waitForLine(/disconnect \/echo 4003 'done'/);
    await server.stop();
  });
}

test("open WebSockets are spread over the workers by their number", async () => {
  const server = await startMaitred(["-w", "3", ...args]);
  await server.waitForLine(/Serving websocket_app.* 3 workers/);
  const clients: WebSocketClient[] = [];
  const perWorker = new Map<string, number>();
  for (let i = 0; i < 12; i++) {
    const client = await WebSocketClient.open(server.port, "/pid");
    clients.push(client);
    const pid = (await client.next()).payload.toString();
    perWorker.set(pid, (perWorker.get(pid) ?? 0) + 1);
  }
  assert.deepEqual([...perWorker.values()], [4, 4, 4]);
  for (const client of clients) client.raw.leave();
  await server.stop();
});
