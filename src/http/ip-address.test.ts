import assert from "node:assert/strict";
import { isIP, SocketAddress } from "node:net";
import { test } from "node:test";
import fc from "fast-check";
import { ipOfBytes, isInRange, parseIp, parseRange } from "./ip-address.ts";

for (const [text, canonical] of [
  ["192.0.2.1", "192.0.2.1"],
  ["0.0.0.0", "0.0.0.0"],
  ["255.255.255.255", "255.255.255.255"],
  ["::", "::"],
  ["::1", "::1"],
  ["1::", "1::"],
  ["2001:DB8:0:0:0:0:0:1", "2001:db8::1"],
  ["2001:db8:0:1:0:0:0:1", "2001:db8:0:1::1"],
  ["2001:0:0:1:0:0:1:1", "2001::1:0:0:1:1"],
  ["1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8"],
  ["1:2:3:4:5:6:0:8", "1:2:3:4:5:6:0:8"],
  ["::ffff:192.0.2.1", "192.0.2.1"],
  ["::FFFF:c000:201", "192.0.2.1"],
  ["64:ff9b::192.0.2.1", "64:ff9b::c000:201"],
  ["fe80::1%eth0", "fe80::1"],
] as const) {
  test(`${text} is ${canonical}`, () => assert.equal(parseIp(text)?.text, canonical));
}

for (const text of [
  "",
  "1",
  "1.2.3",
  "1.2.3.4.5",
  "1.2.3.256",
  "01.2.3.4",
  "1.2.3.4 ",
  "0x7f.0.0.1",
  "1..2.3",
  "-1.2.3.4",
  ":",
  ":::",
  "1::2::3",
  "1:2:3:4:5:6:7",
  "1:2:3:4:5:6:7:8:9",
  "1:2:3:4:5:6:7:8::",
  "::1:2:3:4:5:6:7:8",
  "12345::",
  "g::",
  "::1.2.3",
  "1.2.3.4::",
  "::1.2.3.4:5",
  "[::1]",
  ":1::",
  "localhost",
  "1".repeat(10_000),
]) {
  test(`${JSON.stringify(text.slice(0, 40))} is no address`, () => assert.equal(parseIp(text), null));
}

test("what is an address is what Node's net says, and reads as Node's SocketAddress writes it", () => {
  const digits = fc.string({ unit: fc.constantFrom("0", "1", "9", "a", "F", ":", ":", ".", "25"), maxLength: 20 });
  fc.assert(
    fc.property(fc.oneof(digits, fc.ipV4(), fc.ipV6()), (text) => {
      const ip = parseIp(text);
      assert.equal(ip !== null, isIP(text) !== 0, text);
      if (ip === null || ip.words.length === 1) return;
      const own = new SocketAddress({ address: text, family: "ipv6" }).address;
      // libuv still writes the deprecated IPv4-compatible form (RFC 4291 section 2.5.5.1) with dots.
      if (!own.includes(".")) assert.equal(ip.text, own);
    }),
    { numRuns: 2000 },
  );
});

test("bytes and text are one", () => {
  assert.equal(ipOfBytes(Buffer.from([192, 0, 2, 1])).text, "192.0.2.1");
  assert.equal(ipOfBytes(Buffer.from("20010db8000000000000000000000001", "hex")).text, "2001:db8::1");
  assert.equal(ipOfBytes(Buffer.from("00000000000000000000ffffc0000201", "hex")).text, "192.0.2.1");
});

for (const [range, inside, outside] of [
  ["10.0.0.0/8", ["10.0.0.0", "10.255.255.255", "::ffff:10.1.2.3"], ["11.0.0.0", "9.255.255.255", "::10.0.0.1"]],
  ["10.1.2.3/8", ["10.9.9.9"], ["11.1.2.3"]],
  ["192.0.2.7", ["192.0.2.7"], ["192.0.2.6", "192.0.2.8"]],
  ["0.0.0.0/0", ["1.2.3.4", "255.255.255.255"], ["::1"]],
  ["128.0.0.0/1", ["255.0.0.1"], ["127.255.255.255"]],
  ["::/0", ["::1", "ffff::"], ["1.2.3.4"]],
  ["2001:db8::/32", ["2001:db8:ffff::1"], ["2001:db9::"]],
  ["2001:db8::/33", ["2001:db8:7fff::1"], ["2001:db8:8000::"]],
  ["fe80::/10", ["febf::1", "fe80::1%eth0"], ["fec0::"]],
  ["::ffff:10.0.0.0/104", ["10.2.3.4"], ["11.0.0.0"]],
] as const) {
  test(`${range} has what belongs to it and nothing else`, () => {
    const parsed = parseRange(range) ?? assert.fail();
    for (const text of inside) assert.ok(isInRange(parseIp(text)!, parsed), text);
    for (const text of outside) assert.ok(!isInRange(parseIp(text)!, parsed), text);
  });
}

for (const text of [
  "",
  "/8",
  "10.0.0.0/",
  "10.0.0.0/33",
  "10.0.0.0/-1",
  "10.0.0.0/08",
  "::/129",
  "10.0.0.0/8/8",
  "x/8",
]) {
  test(`${JSON.stringify(text)} is no range`, () => assert.equal(parseRange(text), null));
}
