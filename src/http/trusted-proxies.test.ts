import assert from "node:assert/strict";
import { test } from "node:test";
import { parseIp } from "./ip-address.ts";
import { TrustedProxies } from "./trusted-proxies.ts";

export function trusted(list: string): TrustedProxies {
  const parsed = TrustedProxies.parse(list);
  return typeof parsed === "string" ? assert.fail(parsed) : parsed;
}

for (const [list, peers, strangers, hops, noHops] of [
  [
    "127.0.0.1,::1",
    ["127.0.0.1", "::1", "", "::ffff:127.0.0.1"],
    ["127.0.0.2", "10.0.0.1"],
    ["127.0.0.1"],
    ["127.0.0.2"],
  ],
  ["loopback", ["127.9.9.9", "::1", ""], ["10.0.0.1"], ["127.9.9.9"], ["10.0.0.1"]],
  [
    "private",
    ["10.0.0.1", "172.31.0.1", "fd00::1", "127.0.0.1"],
    ["172.32.0.1", "8.8.8.8"],
    ["192.168.1.1"],
    ["8.8.8.8"],
  ],
  ["unix", [""], ["127.0.0.1", "::1"], [], ["127.0.0.1"]],
  ["none", [], ["", "127.0.0.1"], [], ["127.0.0.1"]],
  ["*", ["", "8.8.8.8", "::1"], [], ["127.0.0.1"], ["8.8.8.8", "10.0.0.1"]],
  [" * , 10.0.0.0/8 ,", ["", "8.8.8.8"], [], ["10.0.0.1"], ["8.8.8.8"]],
  ["Private,8.8.8.8", ["8.8.8.8", "10.0.0.1"], ["8.8.4.4"], ["8.8.8.8"], ["8.8.4.4"]],
] as const) {
  test(`the list ${JSON.stringify(list)}`, () => {
    const proxies = trusted(list);
    for (const peer of peers) assert.ok(proxies.trustsPeer(peer), `peer ${peer}`);
    for (const peer of strangers) assert.ok(!proxies.trustsPeer(peer), `stranger ${peer}`);
    for (const hop of hops) assert.ok(proxies.trustsHop(parseIp(hop)!), `hop ${hop}`);
    for (const hop of noHops) assert.ok(!proxies.trustsHop(parseIp(hop)!), `no hop ${hop}`);
  });
}

for (const [list, why] of [
  ["", /is empty: write "none"/],
  [" , ", /is empty/],
  ["nginx", /has "nginx", and names are not looked up/],
  ["127.0.0.1,proxy.internal", /has "proxy.internal", and names/],
  ["10.0.0.0/33", /has "10.0.0.0\/33", which is not an address/],
  ["10.0.0.1 10.0.0.2", /which is not an address/],
  ["none,127.0.0.1", /has "none" together with others/],
] as const) {
  test(`the list ${JSON.stringify(list)} is a mistake`, () => assert.match(TrustedProxies.parse(list) as string, why));
}
