/** TLS clients that end their connection in every way there is, at every point of a request: nothing of them stays, and a stop does not wait for them. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { readdirSync, readlinkSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { after, before, suite, test } from "node:test";
import { connect as tlsConnect, type ConnectionOptions, type TLSSocket } from "node:tls";

import { serverIdentity, writeIdentity } from "../support/certificates.ts";
import { startMaitred, type Maitred } from "../support/maitred.ts";
import { temporaryFolder, testApps } from "../support/places.ts";

const PATIENCE_MS = 10_000;
const start = ["-b", "127.0.0.1:0", "-w", "1", "--chdir", testApps, "-k", "sync", "wsgi_app:application"];
/** Far more than the kernel's buffers hold. */
const LARGE = "GET /large?bytes=16000000 HTTP/1.1\r\nHost: x\r\n";

function startSecure(...flags: readonly string[]): Promise<Maitred> {
  return startMaitred([...writeIdentity(temporaryFolder(), serverIdentity("localhost")), ...start, ...flags]);
}

interface Client {
  readonly raw: Socket;
  readonly secure: TLSSocket;
}

async function open(port: number): Promise<Client> {
  const raw = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
  raw.on("error", () => undefined);
  const options: ConnectionOptions & { allowHalfOpen: boolean } = {
    socket: raw,
    rejectUnauthorized: false,
    allowHalfOpen: true,
  };
  const secure = tlsConnect(options);
  secure.on("error", () => undefined);
  await once(secure, "secureConnect");
  return { raw, secure };
}

/** How many sockets the process has open. */
function socketsOf(pid: number): number {
  const folder = `/proc/${pid}/fd`;
  return readdirSync(folder).filter((name) => {
    try {
      return readlinkSync(`${folder}/${name}`).startsWith("socket:");
    } catch {
      return false; // closed meanwhile
    }
  }).length;
}

/** No event tells a client that its reset has been heard. */
async function onceSocketsAre(pid: number, count: number): Promise<void> {
  const until = performance.now() + PATIENCE_MS;
  while (socketsOf(pid) !== count) {
    assert.ok(performance.now() < until, `${socketsOf(pid)} sockets are open, not ${count}`);
    await new Promise<void>((resolve) => setTimeout(resolve, 10));
  }
}

type Step = (client: Client) => Promise<unknown> | void;

const moments: Readonly<Record<string, Step>> = {
  "after the handshake": () => undefined,
  "between requests": async ({ secure }) => {
    secure.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    await once(secure, "data");
  },
  "in the midst of a head": ({ secure }) => void secure.write("GET / HTTP/1.1\r\nHo"),
  "in the midst of a body": ({ secure }) =>
    void secure.write("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\nabc"),
  "in the midst of a response": async ({ secure }) => {
    secure.write(`${LARGE}\r\n`);
    await once(secure, "data");
    secure.pause();
  },
  "in the midst of the last response": async ({ secure }) => {
    secure.write(`${LARGE}Connection: close\r\n\r\n`);
    await once(secure, "data");
    secure.pause();
  },
};

const endings: Readonly<Record<string, Step>> = {
  "close_notify and FIN": ({ secure }) => void secure.destroy(),
  "close_notify, then nothing read": ({ secure }) => void secure.end(),
  "FIN without close_notify, then nothing read": ({ raw }) => void raw.end(),
  reset: ({ raw }) => void raw.resetAndDestroy(),
  "a damaged record": ({ raw }) =>
    // An application data record that no key has made (RFC 8446 section 5.2).
    void raw.write(Buffer.concat([Buffer.from("1703030040", "hex"), Buffer.alloc(64, 7)])),
};

suite("a TLS client that ends its connection", () => {
  let server: Maitred;
  let quiet = 0;

  before(async () => {
    // Who reads nothing is cut off by --write-timeout, however it has ended its own side.
    server = await startSecure("--write-timeout", "1");
    const { raw, secure } = await open(server.port);
    secure.write("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    secure.resume();
    await once(secure, "end");
    raw.destroy();
    const connected = socketsOf(server.pid);
    assert.ok(connected > 0);
    // The listener, and the links to the worker.
    for (quiet = connected; ; quiet = socketsOf(server.pid)) {
      await new Promise<void>((resolve) => setTimeout(resolve, 100));
      if (socketsOf(server.pid) === quiet) break;
    }
  });

  after(async () => {
    assert.deepEqual(await server.stop(), { code: 0, signal: null });
    assert.doesNotMatch(server.stderr(), /Cut at the stop|--graceful-timeout|bug|Error/);
  });

  for (const [when, reach] of Object.entries(moments)) {
    for (const [how, end] of Object.entries(endings)) {
      test(`by ${how} ${when} leaves nothing behind`, async () => {
        const client = await open(server.port);
        await reach(client);
        await end(client);
        await onceSocketsAre(server.pid, quiet);
        client.raw.destroy();
      });
    }
  }
});

for (const flags of [[], ["--response-buffer", "0"]]) {
  test(`a stop does not wait for TLS clients that left in the midst of their response ${flags.join(" ")}`, async () => {
    const server = await startSecure(...flags, "--graceful-timeout", "20");
    for (let count = 0; count < 5; count++) {
      const client = await open(server.port);
      client.secure.write(`${LARGE}Connection: close\r\n\r\n`);
      await once(client.secure, "data");
      client.secure.destroy();
    }
    assert.deepEqual(await server.stop(), { code: 0, signal: null });
    assert.doesNotMatch(server.stderr(), /Cut at the stop|--graceful-timeout/);
  });
}
