/** The PROXY protocol's header, byte for byte. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { crc32c } from "./crc32c.ts";
import { type ProxyMode, type ProxyRead, readProxyHeader } from "./proxy-header.ts";

const SIGNATURE = "0d0a0d0a000d0a515549540a";

/** A header of version 2; `rest` is everything after the length, in hexadecimal. */
export function v2(command: string, family: string, rest: string): Buffer {
  const length = (rest.length / 2).toString(16).padStart(4, "0");
  return Buffer.from(`${SIGNATURE}${command}${family}${length}${rest}`, "hex");
}

const V4 = "cb007107" + "0a000001" + "1267" + "01bb"; // 203.0.113.7:4711 to 10.0.0.1:443
const V6 = "20010db8000000000000000000000007" + "20010db8000000000000000000000001" + "1267" + "01bb";

/** The header with its checksum in a TLV at its end. */
function withChecksum(header: Buffer, flip = 0): Buffer {
  const bytes = Buffer.concat([header, Buffer.from("03000400000000", "hex")]);
  bytes.writeUInt16BE(bytes.length - 16, 14);
  bytes.writeUInt32BE((crc32c(bytes) ^ flip) >>> 0, bytes.length - 4);
  return bytes;
}

function told(bytes: Buffer | string, mode: ProxyMode = "auto"): string {
  const read = readProxyHeader(typeof bytes === "string" ? Buffer.from(bytes, "latin1") : bytes, mode);
  if (read.type === "more") return "more";
  if (read.type === "wrong") return read.missing ? `missing: ${read.why}` : read.why;
  return `${read.length} ${read.client === null ? "own" : `${read.client.address} ${read.client.port}`}`;
}

const good: readonly (readonly [title: string, header: Buffer, client: string])[] = [
  ["v1 TCP4", Buffer.from("PROXY TCP4 203.0.113.7 10.0.0.1 4711 443\r\n"), "203.0.113.7 4711"],
  ["v1 TCP6", Buffer.from("PROXY TCP6 2001:DB8::7 ::1 4711 443\r\n"), "2001:db8::7 4711"],
  ["v1 UNKNOWN", Buffer.from("PROXY UNKNOWN\r\n"), "own"],
  [
    "v1 UNKNOWN, the longest line there is",
    Buffer.from(
      "PROXY UNKNOWN ffff:f...f:ffff ffff:f...f:ffff 65535 65535\r\n".replaceAll(
        "f...f",
        "ffff:ffff:ffff:ffff:ffff:ffff",
      ),
    ),
    "own",
  ],
  ["v2 over IPv4", v2("21", "11", V4), "203.0.113.7 4711"],
  ["v2 over IPv6", v2("21", "21", V6), "2001:db8::7 4711"],
  ["v2 with TLVs", v2("21", "11", `${V4}0100026832${"02000161"}200005010000000004000178`), "203.0.113.7 4711"],
  ["v2 with a checksum", withChecksum(v2("21", "11", V4)), "203.0.113.7 4711"],
  ["v2 with a checksum behind other TLVs", withChecksum(v2("21", "21", `${V6}0400020000`)), "2001:db8::7 4711"],
  ["v2 LOCAL", v2("20", "00", ""), "own"],
  ["v2 LOCAL with an address, which is ignored", v2("20", "11", V4), "own"],
  ["v2 UNSPEC", v2("21", "00", ""), "own"],
  ["v2 UNSPEC with TLVs", v2("21", "00", "0400020000"), "own"],
  ["v2 Unix", v2("21", "31", "00".repeat(216)), "own"],
  ["v2 over UDP", v2("21", "12", V4), "own"],
];

describe("a good header:", () => {
  for (const [title, header, client] of good) {
    test(title, () => assert.equal(told(header), `${header.length} ${client}`));
    test(`${title}, with what follows it`, () =>
      assert.equal(told(Buffer.concat([header, Buffer.from("GET / HTTP/1.1\r\n")])), `${header.length} ${client}`));
    test(`${title}, at every split`, () => {
      for (let length = 0; length < header.length; length++)
        assert.equal(told(header.subarray(0, length)), "more", `${length}`);
    });
  }
});

describe("a malformed header:", () => {
  for (const [title, bytes, why] of [
    ["a family that is none", "PROXY TCP5 1.2.3.4 1.2.3.4 1 1\r\n", /the family is none/],
    ["nothing behind the blank", "PROXY \r\n", /the family is none/],
    ["lower case", "PROXY tcp4 1.2.3.4 1.2.3.4 1 1\r\n", /the family is none/],
    ["no port", "PROXY TCP4 1.2.3.4 1.2.3.4 1\r\n", /not two addresses/],
    ["one word more", "PROXY TCP4 1.2.3.4 1.2.3.4 1 1 1\r\n", /not two addresses/],
    ["two blanks", "PROXY TCP4  1.2.3.4 1.2.3.4 1 1\r\n", /not two addresses/],
    ["IPv6 in TCP4", "PROXY TCP4 ::1 ::1 1 1\r\n", /not one of its family/],
    ["IPv4 in TCP6", "PROXY TCP6 1.2.3.4 1.2.3.4 1 1\r\n", /not one of its family/],
    ["a name", "PROXY TCP4 localhost 1.2.3.4 1 1\r\n", /not one of its family/],
    ["an octal number", "PROXY TCP4 1.2.3.04 1.2.3.4 1 1\r\n", /not one of its family/],
    ["a port beyond 65535", "PROXY TCP4 1.2.3.4 1.2.3.4 65536 1\r\n", /a port is not/],
    ["a port with a zero in front", "PROXY TCP4 1.2.3.4 1.2.3.4 080 1\r\n", /a port is not/],
    ["a signed port", "PROXY TCP4 1.2.3.4 1.2.3.4 +1 1\r\n", /a port is not/],
    ["a bare LF", `PROXY TCP4 1.2.3.4 1.2.3.4 1 1\n${"x".repeat(100)}`, /longer than 107/],
    ["a line without an end", `PROXY UNKNOWN ${"x".repeat(100)}`, /longer than 107/],
    ["version 1 in binary", v2("11", "11", V4), /its version is 1/],
    ["an unknown command", v2("22", "11", V4), /unknown command 2/],
    ["an unknown family", v2("21", "41", V4), /unknown address family/],
    ["an unknown transport", v2("21", "13", V4), /unknown address family/],
    ["half an address", v2("21", "11", V4.slice(0, 12)), /too short for its addresses/],
    ["an IPv4 address that says IPv6", v2("21", "21", V4), /too short for its addresses/],
    ["a TLV without its length", v2("21", "11", `${V4}0300`), /a TLV reaches beyond/],
    ["a TLV that is too long", v2("21", "11", `${V4}0100ff00`), /a TLV reaches beyond/],
    ["a wrong checksum", withChecksum(v2("21", "11", V4), 1), /its checksum is wrong/],
    ["a short checksum", v2("21", "11", `${V4}0300020000`), /its checksum is not of 4 bytes/],
    ["64 KiB of TLVs", v2("21", "11", V4 + "00".repeat(65_000)), /longer than 4096/],
  ] as const) {
    test(title, () => assert.match(told(typeof bytes === "string" ? Buffer.from(bytes) : bytes), why));
  }
});

describe("no header:", () => {
  for (const bytes of [
    "GET / HTTP/1.1\r\n",
    "PRI * HTTP/2.0",
    "proxy TCP4",
    "PROXY\t",
    "\r\n\r\n\0\r\nQUIX",
    "\x16\x03\x01",
    "\r\nG",
  ]) {
    test(JSON.stringify(bytes), () => assert.match(told(bytes), /^missing: no PROXY protocol header/));
  }

  test("of the version that is expected", () => {
    assert.equal(told(good[0]![1], "v2"), "missing: no PROXY protocol header of version 2");
    assert.equal(told(good[4]![1], "v1"), "missing: no PROXY protocol header of version 1");
    assert.equal(told(good[0]![1], "v1"), `${good[0]![1].length} ${good[0]![2]}`);
    assert.equal(told(good[4]![1], "v2"), `${good[4]![1].length} ${good[4]![2]}`);
  });
});

test("CRC-32C's check value (RFC 3720 appendix B.4)", () => {
  assert.equal(crc32c(Buffer.from("123456789")), 0xe3069283);
  assert.equal(crc32c(Buffer.alloc(32)), 0x8a9136aa);
});

test("any bytes have a verdict, and a verdict does not change when more bytes come", () => {
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 64 }),
    fc.tuple(fc.constantFrom(...good.map(([, header]) => header)), fc.nat(), fc.nat(255)).map(([header, at, byte]) => {
      const changed = Buffer.from(header);
      changed[at % changed.length] = byte;
      return changed;
    }),
  );
  fc.assert(
    fc.property(bytes, fc.uint8Array({ maxLength: 20 }), fc.constantFrom("auto", "v1", "v2"), (array, more, mode) => {
      const all = Buffer.concat([array, more]);
      let verdict: ProxyRead = { type: "more" };
      for (let length = 0; length <= all.length; length++) {
        const read = readProxyHeader(all.subarray(0, length), mode);
        if (verdict.type !== "more") assert.deepEqual(read, verdict);
        if (read.type === "header") assert.ok(read.length <= length);
        verdict = read;
      }
    }),
    { numRuns: 500 },
  );
});
