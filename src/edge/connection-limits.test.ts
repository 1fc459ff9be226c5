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

test("an IPv6 client is its /64, which it has all of; an IPv4-mapped address is its own", () => {
  const limits = new ConnectionLimits({ total: 0, perClient: 2 });
  limits.enter("2001:db8:0:1::1");
  limits.enter("2001:db8:0:1:2:3:4:5");
  assert.deepEqual([limits.ask("2001:db8:0:1::9"), limits.ask("2001:db8:0:2::1")], ["client", "in"]);
  limits.leave("2001:db8:0:1::1");
  assert.equal(limits.ask("2001:db8:0:1::9"), "in");
  limits.enter("::ffff:203.0.113.7");
  limits.enter("203.0.113.7");
  assert.deepEqual([limits.ask("::ffff:203.0.113.7"), limits.ask("::ffff:203.0.113.8")], ["client", "in"]);
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
