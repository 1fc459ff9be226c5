/** Every way to write an address, and every way to get one wrong. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { bind, bindText, hostName } from "./bind.ts";
import { isIPv6 } from "./ip.ts";
import type { Bind } from "./plan.ts";

const tcp = (host: string, port: number): Bind => ({ type: "tcp", host, port });

const addresses: readonly (readonly [string, Bind])[] = [
  ["127.0.0.1:8000", tcp("127.0.0.1", 8000)],
  ["0.0.0.0:80", tcp("0.0.0.0", 80)],
  [":8000", tcp("0.0.0.0", 8000)],
  ["8000", tcp("127.0.0.1", 8000)],
  ["0", tcp("127.0.0.1", 0)],
  ["localhost", tcp("localhost", 8000)],
  ["Example.COM:9", tcp("example.com", 9)],
  ["[::]:8000", tcp("::", 8000)],
  ["[::1]", tcp("::1", 8000)],
  ["[fe80::1%eth0]:80", tcp("fe80::1%eth0", 80)],
  ["[FE80::1%Eth0]:80", tcp("fe80::1%Eth0", 80)],
  ["tcp://0.0.0.0:80", tcp("0.0.0.0", 80)],
  ["https://0.0.0.0:443", { ...tcp("0.0.0.0", 443), tls: true }],
  ["http://:80", { ...tcp("0.0.0.0", 80), tls: false }],
  ["https://unix:/run/app.sock", { type: "unix", path: "/run/app.sock", tls: true }],
  ["unix:/run/app.sock", { type: "unix", path: "/run/app.sock" }],
  ["unix:///run/app.sock", { type: "unix", path: "/run/app.sock" }],
  ["unix:app.sock", { type: "unix", path: "app.sock" }],
  ["unix:@maitred", { type: "unix", path: "\0maitred" }],
  ["fd://3", { type: "fd", fd: 3 }],
];

for (const [text, address] of addresses) {
  test(`reads ${text}`, () => assert.deepEqual(bind(text), { type: "value", value: address }));
}

const wrongAddresses: readonly (readonly [string, RegExp])[] = [
  ["99999", /port is a number from 0 to 65535/],
  [":99999", /has port "99999": a port is a number from 0 to 65535/],
  ["0.0.0.0:http", /has port "http"/],
  ["0.0.0.0:", /no port after the colon/],
  ["-1", /from 0 to 65535/],
  ["", /empty/],
  ["::1", /without brackets: write \[::1\]:8000/],
  ["::1:8000", /without brackets/],
  ["[::zz]:80", /not an IPv6 address/],
  ["[::1", /not an address/],
  ["/run/app.sock", /write unix:\/run\/app.sock/],
  ["./app.sock", /write unix:.\/app.sock/],
  ["unix:", /no path/],
  [`unix:/${"a".repeat(107)}`, /too long/],
  ["fd://x", /write fd:\/\/3/],
  [":80,:81", /repeat --bind/],
  ["https://", /empty/],
  ["a b:80", /not a host name/],
];

for (const [text, why] of wrongAddresses) {
  test(`refuses ${JSON.stringify(text.slice(0, 30))}`, () => {
    const parsed = bind(text);
    assert.equal(parsed.type, "wrong");
    assert.match(parsed.type === "wrong" ? parsed.why : "", why);
  });
}

test("an address in the log reads back as itself", () => {
  for (const [, address] of addresses.filter(([, { tls }]) => tls === undefined))
    assert.deepEqual(bind(bindText(address)), { type: "value", value: address });
});

test("--host takes hosts only", () => {
  assert.deepEqual(hostName("::"), { type: "value", value: "::" });
  assert.deepEqual(hostName("[::1]"), { type: "value", value: "::1" });
  for (const text of ["", "0.0.0.0:80", "/run/x"]) assert.equal(hostName(text).type, "wrong", text);
});

test("IPv6 addresses have eight groups, one gap at most, and may end in IPv4", () => {
  for (const text of ["::", "::1", "1::", "1:2:3:4:5:6:7:8", "::ffff:127.0.0.1", "2001:db8::1", "1:2:3:4:5:6:1.2.3.4"])
    assert.ok(isIPv6(text), text);
  for (const text of [
    "",
    "1",
    ":1",
    "1:2:3:4:5:6:7",
    "1:2:3:4:5:6:7:8:9",
    "1::2::3",
    ":::",
    "12345::",
    "::256.0.0.1",
    "::1.2.3",
    "g::",
  ]) {
    assert.ok(!isIPv6(text), text);
  }
});
