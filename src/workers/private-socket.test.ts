/** The private door, knocked at over its real socket. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { after, before, describe, test } from "node:test";
import { type Greeting, PrivateSocket } from "./private-socket.ts";

describe("the private door", () => {
  const greetings: Greeting[] = [];
  const received: string[] = [];
  let next: () => void = () => {};
  const door = new PrivateSocket((greeting, socket) => {
    greetings.push(greeting);
    socket.on("data", (chunk: Buffer) => {
      received.push(chunk.toString("latin1"));
      next();
    });
  });
  before(() => door.listen());
  after(() => door.close());

  function knock(bytes: string | Buffer): Socket {
    const socket = connect(door.isAbstract ? `\0${door.address}` : door.address);
    socket.write(bytes);
    return socket;
  }

  const line = (differences: Record<string, unknown>): string =>
    `${JSON.stringify({ type: "seat", protocol: 1, token: door.token, worker: 4, seat: 2, ...differences })}\n`;

  test("opens to who says the token; what comes after the first line is not lost", async () => {
    const arrived = new Promise<void>((resolve) => (next = resolve));
    const socket = knock(`${line({})}frames`);
    await arrived;
    socket.destroy();
    assert.deepEqual(
      [greetings.splice(0), received.splice(0)],
      [[{ type: "seat", worker: 4, seat: 2, pid: 0 }], ["frames"]],
    );
  });

  test("opens to a first line in pieces", async () => {
    const arrived = new Promise<void>((resolve) => (next = resolve));
    const whole = `${line({ type: "worker", pid: 77 })}x`;
    const socket = knock(whole.slice(0, 20));
    await once(socket, "connect");
    socket.write(whole.slice(20));
    await arrived;
    socket.destroy();
    assert.deepEqual(
      [greetings.splice(0), received.splice(0)],
      [[{ type: "worker", worker: 4, seat: -1, pid: 77 }], ["x"]],
    );
  });

  const refused: readonly [string, string][] = [
    ["a wrong token", line({ token: "0".repeat(64) })],
    ["a token that is too short", line({ token: "" })],
    ["a token that is no string", line({ token: 1 })],
    ["64 characters that are more than 64 bytes", line({ token: "\u00e9".repeat(64) })],
    ["another version", line({ protocol: 2 })],
    ["an unknown type", line({ type: "client" })],
    ["a worker without pid", line({ type: "worker" })],
    ["a seat without number", line({ seat: "2" })],
    ["a worker without number", line({ worker: null })],
    ["no JSON", "GET / HTTP/1.1\r\n\r\n"],
    ["no object", "null\n"],
    ["a line without end", "x".repeat(2000)],
  ];
  for (const [title, bytes] of refused) {
    test(`stays shut to ${title}`, async () => {
      const socket = knock(bytes);
      socket.on("error", () => {});
      await once(socket.resume(), "close");
      assert.deepEqual(greetings, []);
    });
  }

  test("has a token of 32 random bytes", () => {
    assert.match(door.token, /^[0-9a-f]{64}$/);
    assert.notEqual(new PrivateSocket(() => {}).token, door.token);
  });
});
