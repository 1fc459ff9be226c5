/** DER against the examples of X.690 and what OpenSSL writes. */
import assert from "node:assert/strict";
import { test } from "node:test";
import * as der from "./der.ts";
import { ipBytes } from "./ip-bytes.ts";

const cases: readonly (readonly [string, Buffer, string])[] = [
  ["a small integer", der.positiveInteger(Buffer.of(2)), "020102"],
  ["zero", der.positiveInteger(Buffer.of(0)), "020100"],
  ["an integer whose first bit is set", der.positiveInteger(Buffer.of(0x80)), "02020080"],
  ["an integer with zeros before it", der.positiveInteger(Buffer.of(0, 0, 1, 0)), "02020100"],
  ["true", der.boolean(true), "0101ff"],
  ["an object identifier", der.objectIdentifier("1.2.840.10045.4.3.2"), "06082a8648ce3d040302"],
  ["an identifier with a large first arc", der.objectIdentifier("2.5.29.17"), "0603551d11"],
  ["named bits without their trailing zeros", der.namedBits(0), "03020780"],
  ["named bits 0 and 5", der.namedBits(0, 5), "03020284"],
  ["a whole bit string", der.bits(Buffer.of(0xab)), "030200ab"],
  ["a year before 2050", der.time("2049-12-31T23:59:59.999Z"), "170d3439313233313233353935395a"],
  ["a year from 2050 on", der.time("2050-01-01T00:00:00.000Z"), "180f32303530303130313030303030305a"],
  ["a length of 127", der.octets(Buffer.alloc(127)).subarray(0, 2), "047f"],
  ["a length of 128", der.octets(Buffer.alloc(128)).subarray(0, 3), "048180"],
  ["a length of 300", der.octets(Buffer.alloc(300)).subarray(0, 4), "0482012c"],
  ["an explicit tag", der.explicit(3, der.boolean(false)), "a303010100"],
  ["an implicit tag", der.implicit(2, Buffer.from("a")), "820161"],
];

for (const [name, bytes, hex] of cases) test(name, () => assert.equal(bytes.toString("hex"), hex));

const addresses: readonly (readonly [string, string | null])[] = [
  ["127.0.0.1", "7f000001"],
  ["::1", "00000000000000000000000000000001"],
  ["fe80::1:2", "fe800000000000000000000000010002"],
  ["::ffff:1.2.3.4", "00000000000000000000ffff01020304"],
  ["2001:db8:1:2:3:4:5:6", "20010db8000100020003000400050006"],
  ["::", "00000000000000000000000000000000"],
  ["1.2.3.256", null],
  ["localhost", null],
  ["fe80::1%eth0", null],
];

for (const [text, hex] of addresses) {
  test(`${text} ${hex === null ? "is no address" : "has these bytes"}`, () =>
    assert.equal(ipBytes(text)?.toString("hex") ?? null, hex));
}
