import assert from "node:assert/strict";
import { test } from "node:test";

import { networkOf } from "./ip-network.ts";

const same = (one: string, other: string, v4Bits = 32, v6Bits = 64): boolean =>
  networkOf(one, v4Bits, v6Bits) === networkOf(other, v4Bits, v6Bits);

test("addresses of one network have one name, others have another", () => {
  assert.ok(same("2001:db8:0:1::1", "2001:db8:0:1:ffff:ffff:ffff:ffff"));
  assert.ok(same("fe80::1%eth0", "fe80::2%eth1"));
  assert.ok(!same("2001:db8:0:1::1", "2001:db8:0:2::1"));
  assert.ok(!same("203.0.113.7", "203.0.113.8"));
  assert.ok(same("203.0.113.7", "203.0.113.200", 24));
  assert.ok(same("10.0.0.1", "192.168.0.1", 0));
});

test("an IPv4-mapped address is its IPv4 address, not one of a network that all of them share", () => {
  assert.equal(networkOf("::ffff:203.0.113.7", 32, 64), "203.0.113.7");
  assert.ok(!same("::ffff:203.0.113.7", "::ffff:203.0.113.8"));
});

test("what is no address has no network", () => {
  assert.equal(networkOf("", 32, 64), null);
  assert.equal(networkOf("unix", 32, 64), null);
});
