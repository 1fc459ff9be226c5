/** What an idle connection costs where it is more than a plain one (that is in siege.test.ts): HTTP/2's tables, and TLS. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { connect as connectHttp2 } from "node:http2";
import { test } from "node:test";

import { serverIdentity, writeIdentity } from "../support/certificates.ts";
import { startMaitred } from "../support/maitred.ts";
import { temporaryFolder, testApps } from "../support/places.ts";
import { SecureClient } from "../support/secure-client.ts";

/** All ask at once: on a busy machine that is an overload, which is another test's. And none of them is idle for too long. */
const start = "-b 127.0.0.1:0 -w 1 --queue-target 0 --keep-alive 600 -k sync wsgi_app:application --chdir"
  .split(" ")
  .concat(testApps);
const FIRST = 200;
const MORE = 1500;

/** An open connection, which asks for `/` when it is called. */
interface Client {
  ask(): Promise<void>;
  close(): void;
}

async function openHttp2(port: number): Promise<Client> {
  const session = connectHttp2(`http://127.0.0.1:${port}`);
  await once(session, "connect");
  return {
    ask: async () => {
      const stream = session.request({ ":path": "/" }).setEncoding("latin1");
      let text = "";
      stream.on("data", (data: string) => (text += data));
      await once(stream, "close");
      assert.equal(text, "hello");
    },
    close: () => session.destroy(),
  };
}

async function openTls(port: number): Promise<Client> {
  const client = await SecureClient.open(port, { ALPNProtocols: ["http/1.1"] });
  client.socket.setTimeout(0);
  return {
    ask: async () => assert.equal((await client.get("/")).body, "hello"),
    close: () => client.close(),
  };
}

/** What of the process's memory is its own (proportional set size), in bytes. */
function memory(pid: number): number {
  return Number(/^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, "latin1"))?.[1] ?? 0) * 1024;
}

async function all(clients: readonly Client[]): Promise<void> {
  for (let from = 0; from < clients.length; from += 100)
    await Promise.all(clients.slice(from, from + 100).map((client) => client.ask()));
}

async function open(count: number, one: () => Promise<Client>): Promise<Client[]> {
  const clients: Client[] = [];
  while (clients.length < count) clients.push(...(await Promise.all(Array.from({ length: 20 }, one))));
  await all(clients);
  return clients;
}

const KINDS = [
  // 6 KB of it are in use, the rest is V8's: pages that are not full.
  { name: "HTTP/2", mostKilobytes: 20, isSecure: false, openOne: openHttp2 },
  // 30 KB of it are OpenSSL's, 8 KB V8's objects.
  { name: "TLS", mostKilobytes: 56, isSecure: true, openOne: openTls },
] as const;

for (const { name, mostKilobytes, isSecure, openOne } of KINDS) {
  test(`an idle ${name} connection costs at most ${mostKilobytes} KB, and is answered again`, async () => {
    const files = isSecure ? writeIdentity(temporaryFolder(), serverIdentity("localhost")) : [];
    const server = await startMaitred([...files, ...start]);
    const one = (): Promise<Client> => openOne(server.port);
    const clients = await open(FIRST, one);
    // What is made once is there, and the heap's young generation has grown to what requests make of it.
    for (let round = 0; round < 30; round++) await all(clients);
    const before = memory(server.pid);
    clients.push(...(await open(MORE, one)));
    // What the handshakes and the answers left behind is collected when V8 comes to it.
    let each = Infinity;
    for (let look = 0; each >= mostKilobytes * 1024 && look < 50; look++) {
      each = (memory(server.pid) - before) / MORE;
      if (each >= mostKilobytes * 1024) await all(clients.slice(0, 400));
    }
    assert.ok(each < mostKilobytes * 1024, `${each} bytes`);
    await all(clients);
    for (const client of clients) client.close();
    await server.stop();
  });
}
