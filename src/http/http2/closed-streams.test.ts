import assert from "node:assert/strict";
import { test } from "node:test";
import { ClosedStreams } from "./closed-streams.ts";

test("the last 1024 closed streams are known, with who closed them, and those before are not", () => {
  const closed = new ClosedStreams();
  assert.equal(closed.how(1), "unknown");
  for (let number = 0; number < 1500; number++) {
    const id = 2 * number + 1;
    closed.add(id, number % 3 === 0);
    assert.equal(closed.how(id), number % 3 === 0 ? "by us" : "otherwise");
    const oldest = 2 * Math.max(0, number - 1023) + 1;
    assert.notEqual(closed.how(oldest), "unknown", `${oldest} at ${id}`);
    if (oldest > 1) assert.equal(closed.how(oldest - 2), "unknown", `${oldest - 2} at ${id}`);
  }
});
