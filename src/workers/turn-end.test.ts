import assert from "node:assert/strict";
import { test } from "node:test";
import { TurnEnd } from "./turn-end.ts";

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test("each is flushed once, in order, at the end of the turn; what is added meanwhile at the end of the next", async () => {
  const turnEnd = new TurnEnd();
  const flushed: string[] = [];
  const later = { flush: () => flushed.push("later") };
  turnEnd.add({ flush: () => flushed.push("a") });
  turnEnd.add({
    flush: () => {
      flushed.push("b");
      turnEnd.add(later);
    },
  });
  assert.deepEqual(flushed, []);
  await turn();
  assert.deepEqual(flushed, ["a", "b"]);
  await turn();
  assert.deepEqual(flushed, ["a", "b", "later"]);
  await turn();
  assert.equal(flushed.length, 3);
});
