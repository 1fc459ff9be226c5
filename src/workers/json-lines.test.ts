import assert from "node:assert/strict";
import type { Socket } from "node:net";
import { Duplex } from "node:stream";
import { describe, test } from "node:test";
import { JsonLines } from "./json-lines.ts";

function link(): { socket: Duplex; lines: JsonLines; heard: unknown[]; written: string[] } {
  const heard: unknown[] = [];
  const written: string[] = [];
  const socket = new Duplex({
    read() {},
    write(chunk: Buffer, _encoding, done) {
      written.push(chunk.toString("utf8"));
      done();
    },
  });
  const lines = new JsonLines(
    socket as Socket,
    (message) => heard.push(message),
    (problem) => heard.push(`end: ${problem}`),
  );
  return { socket, lines, heard, written };
}

const closed = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test("any split of the bytes gives the same messages", () => {
  const text = Buffer.from('{"type":"a","text":"caf\u00e9 \u{1f600}"}\n{"type":"b"}\n', "utf8");
  for (let cut = 0; cut <= text.length; cut++) {
    const { socket, heard } = link();
    socket.emit("data", text.subarray(0, cut));
    socket.emit("data", text.subarray(cut));
    assert.deepEqual(heard, [{ type: "a", text: "caf\u00e9 \u{1f600}" }, { type: "b" }]);
  }
});

describe("a line that is no message ends the link, and nothing after it is heard", () => {
  for (const line of ["", "{", "null", "[]", '"text"', "{}", '{"type":1}']) {
    test(JSON.stringify(line), async () => {
      const { socket, heard } = link();
      socket.emit("data", Buffer.from(`{"type":"a"}\n${line}\n{"type":"b"}\n`));
      await closed();
      assert.deepEqual(heard, [{ type: "a" }, `end: not a message: ${line}`]);
      assert.equal(socket.destroyed, true);
    });
  }

  test("a line without end", async () => {
    const { socket, heard } = link();
    socket.emit("data", Buffer.alloc(4 * 1024 * 1024 + 1, "x"));
    await closed();
    assert.deepEqual(heard, ["end: a message without end"]);
  });
});

test("messages are written one a line, and not at all to a link that is gone", async () => {
  const { socket, lines, heard, written } = link();
  lines.send({ type: "fork", worker: 1 });
  lines.send({ type: "line\nend" });
  assert.deepEqual(written, ['{"type":"fork","worker":1}\n', '{"type":"line\\nend"}\n']);
  socket.destroy(new Error("reset"));
  lines.send({ type: "late" });
  await closed();
  assert.deepEqual([written.length, heard], [2, ["end: reset"]]);
});
