import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Exchange } from "../http/exchange.ts";
import { sampleExchange } from "../http/exchange.test.ts";
import { Queue } from "./queue.ts";

function contents(queue: Queue): Exchange[] {
  const all: Exchange[] = [];
  for (let one = queue.first; one !== null; one = one.queueNext) all.push(one);
  return all;
}

test("what is pushed comes out first in, first out, and is queued", () => {
  const queue = new Queue();
  const exchanges = ["/1", "/2", "/3"].map((path) => sampleExchange(path));
  for (const exchange of exchanges) queue.push(exchange);
  assert.ok(exchanges.every(({ state }) => state === "queued"));
  for (const exchange of exchanges) {
    assert.equal(queue.first, exchange);
    queue.remove(exchange);
  }
  assert.equal(queue.first, null);
  assert.equal(queue.length, 0);
});

test("leaving touches the neighbours and nobody else, however long the queue", () => {
  const queue = new Queue();
  const exchanges = Array.from({ length: 5 }, (_, i) => sampleExchange(`/${i}`));
  for (const exchange of exchanges) queue.push(exchange);
  // The far ends are frozen: touching them would throw.
  Object.freeze(exchanges[0]);
  Object.freeze(exchanges[4]);
  queue.remove(exchanges[2]!);
  assert.deepEqual(contents(queue), [exchanges[0], exchanges[1], exchanges[3], exchanges[4]]);
});

test("any order of pushing, unshifting and leaving is that of a list", () => {
  const step = fc.tuple(fc.constantFrom("push", "unshift", "remove"), fc.nat(100));
  fc.assert(
    fc.property(fc.array(step), (steps) => {
      const queue = new Queue();
      const model: Exchange[] = [];
      for (const [what, at] of steps) {
        if (what === "remove") {
          if (model.length > 0) queue.remove(model.splice(at % model.length, 1)[0]!);
          continue;
        }
        const exchange = sampleExchange();
        queue[what as "push" | "unshift"](exchange);
        model[what as "push" | "unshift"](exchange);
      }
      assert.deepEqual(contents(queue), model);
      assert.equal(queue.length, model.length);
      const backwards: Exchange[] = [];
      for (let one = model.at(-1) ?? null; one !== null; one = one.queuePrevious) backwards.push(one);
      assert.deepEqual(backwards.toReversed(), model);
    }),
  );
});
