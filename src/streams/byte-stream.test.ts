/** A stream whose other side does not take what is written says so, and says when that is over. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import { test } from "node:test";
import { BEHIND_BYTES, type ByteStream, SocketStream, type StreamListener } from "./byte-stream.ts";
import { directStream } from "./direct-stream.ts";

async function pair(): Promise<{ client: Socket; served: Socket; readonly close: () => void }> {
  const server = createServer({ pauseOnConnect: true }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const connection = once(server, "connection") as Promise<[Socket]>;
  const client = connect((server.address() as AddressInfo).port, "127.0.0.1").pause();
  const [served] = await connection;
  return {
    client,
    served,
    close: () => {
      client.destroy();
      served.destroy();
      server.close();
    },
  };
}

const kinds: readonly (readonly [string, (socket: Socket, listener: StreamListener) => ByteStream])[] = [
  ["DirectStream", directStream],
  ["SocketStream", (socket, listener) => new SocketStream(socket, listener)],
];

for (const [name, open] of kinds) {
  test(`${name} is behind while its reader does not read, and tells once that it has caught up`, async () => {
    const { client, served, close } = await pair();
    let caughtUp = 0;
    let tell: () => void = () => {};
    const told = new Promise<void>((resolve) => (tell = resolve));
    const listener: StreamListener = {
      onBytes: () => {},
      onFin: () => {},
      onClosed: () => {},
      onCaughtUp: () => {
        caughtUp++;
        tell();
      },
    };
    const stream = open(served, listener);
    stream.writeText("small");
    assert.equal(stream.isBehind, false);
    // Beyond whatever the kernel's two buffers hold.
    for (let written = 0; written < 16_000_000; written += BEHIND_BYTES)
      stream.writeBytes(Buffer.alloc(BEHIND_BYTES), null);
    assert.equal(stream.isBehind, true);
    assert.equal(caughtUp, 0);
    client.resume();
    await told;
    assert.equal(stream.isBehind, false);
    assert.equal(caughtUp, 1);
    stream.destroy();
    close();
  });
}
