import assert from "node:assert/strict";
import { test } from "node:test";
import { ConnectionLimits, connectionsWithin } from "./connection-limits.ts";

test("one more than the total finds the house full, until one leaves", () => {
  const limits = new ConnectionLimits({ total: 2, perClient: 0 });
  limits.enter("a");
  limits.enter("b");
  assert.equal(limits.ask("c"), "full");
  limits.leave("a");
  assert.deepEqual([limits.ask("c"), limits.total], ["in", 1]);
});

test("each address has its own count; a Unix socket has none", () => {
  const limits = new ConnectionLimits({ total: 0, perClient: 1 });
  limits.enter("a");
  limits.enter("");
  assert.deepEqual([limits.ask("a"), limits.ask("b"), limits.ask("")], ["client", "in", "in"]);
  limits.leave("a");
  limits.leave("");
  assert.equal(limits.ask("a"), "in");
});

test("without limits everyone comes in", () => {
  const limits = new ConnectionLimits({ total: 0, perClient: 0 });
  for (let count = 0; count < 1000; count++) limits.enter("a");
  assert.equal(limits.ask("a"), "in");
});

test("the limit of open files bounds connections, with descriptors left for the rest", () => {
  assert.equal(connectionsWithin(0, 4), 0);
  assert.equal(connectionsWithin(1024, 4), 833);
  assert.equal(connectionsWithin(64, 4), 16);
});

test("who is known only later is counted in total at once and by address from then on", () => {
  const limits = new ConnectionLimits({ total: 3, perClient: 1 });
  limits.enter("");
  limits.enter("");
  limits.enter("");
  assert.equal(limits.ask(""), "full");
  assert.deepEqual([limits.identify("a"), limits.identify("a"), limits.identify("b")], [true, false, true]);
  limits.leave(""); // the one that was refused
  assert.deepEqual([limits.total, limits.ask("a"), limits.ask("c")], [2, "client", "in"]);
  limits.leave("a");
  assert.equal(limits.ask("a"), "in");
});
