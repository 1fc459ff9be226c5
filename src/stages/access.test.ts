import assert from "node:assert/strict";
import { test } from "node:test";
import { type AccessPlan, accessSettings } from "../config/sites/access.ts";
import { restricting } from "./access.ts";
import { asked, Destination, through } from "./house.test.ts";

const rules = (...written: string[]): AccessPlan => accessSettings.parse(written);

test("the first rule that matches decides, as in nginx", () => {
  const stage = restricting(rules("deny 10.0.0.13", "allow 10.0.0.0/8", "allow 2001:db8::/32", "deny all;"));
  const cases: readonly (readonly [string, number])[] = [
    ["10.1.2.3", 200],
    ["10.0.0.13", 403],
    ["192.0.2.1", 403],
    ["2001:db8:ffff::1", 200],
    ["2001:db9::1", 403],
    // The same client, seen on an IPv6 socket.
    ["::ffff:10.0.0.13", 403],
    ["::ffff:10.0.0.14", 200],
    ["", 403],
  ];
  for (const [from, status] of cases) assert.equal(through(stage, { from }).status, status, from);
});

test("whom no rule matches may come; clients of a Unix socket are unix:", () => {
  assert.equal(through(restricting(rules("deny 192.0.2.0/24")), { from: "198.51.100.1" }).status, 200);
  const local = restricting(rules("allow unix:", "deny all"));
  assert.equal(through(local, { from: "" }).status, 200);
  assert.equal(through(local, { from: "192.0.2.1" }).status, 403);
});

test("a request that is refused goes no further", () => {
  const destination = new Destination();
  through(restricting(rules("deny all")), {}, destination);
  assert.equal(destination.got.length, 0);
  const { exchange } = asked();
  assert.equal(exchange.state, "waiting");
});

test("what is no rule is refused with what would be one", () => {
  for (const written of [
    "permit 10.0.0.0/8",
    "allow",
    "allow example.com",
    "deny 10.0.0.0/33",
    "deny 010.0.0.1",
    "allow 10.0.0.0/8 now",
  ])
    assert.match(JSON.stringify(accessSettings.safeParse([written]).error?.issues), /is no rule/, written);
});
