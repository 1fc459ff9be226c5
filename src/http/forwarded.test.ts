/** What is believed of a trusted proxy's fields, and what a client can put there without effect. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { headOf } from "./exchange.test.ts";
import {
  BadForwarding,
  type ClientClaims,
  FORWARDING_FIELDS,
  type ForwardingField,
  readForwarding,
} from "./forwarded.ts";
import { parseIp } from "./ip-address.ts";
import { trusted } from "./trusted-proxies.test.ts";

const USUAL: readonly ForwardingField[] = ["x-forwarded-for", "x-forwarded-proto", "forwarded"];
const PROXIES = "127.0.0.1,10.0.0.0/8,2001:db8:aaaa::/48";

function read(
  fields: readonly string[],
  believed: readonly ForwardingField[] = FORWARDING_FIELDS,
  proxies = PROXIES,
): ClientClaims | BadForwarding {
  const { headers } = headOf(`${["GET / HTTP/1.1", "Host: h", ...fields].join("\r\n")}\r\n\r\n`);
  return readForwarding(headers, trusted(proxies), new Set(believed));
}

function claims(...given: Parameters<typeof read>): ClientClaims {
  const result = read(...given);
  return result instanceof BadForwarding ? assert.fail(result.detail) : result;
}

function clientOf(...given: Parameters<typeof read>): string | null {
  const { client } = claims(...given);
  return client === null ? null : client.port === 0 ? client.address : `${client.address} ${client.port}`;
}

describe("the client of X-Forwarded-For", () => {
  for (const [title, value, expected] of [
    ["is the one address", "203.0.113.7", "203.0.113.7"],
    ["is the right-most that is no proxy", "203.0.113.7, 10.1.1.1", "203.0.113.7"],
    ["is not what a client put in front", "127.0.0.1, 6.6.6.6, 203.0.113.7, 10.1.1.1, 10.2.2.2", "203.0.113.7"],
    ["is not a proxy that a client put in front", "10.9.9.9, 203.0.113.7", "203.0.113.7"],
    ["is the first of all where all are proxies", "10.3.3.3, 10.2.2.2", "10.3.3.3"],
    ["may have a port", "203.0.113.7:4711, 10.1.1.1:80", "203.0.113.7 4711"],
    ["may be an IPv6 address", "2001:DB8::7", "2001:db8::7"],
    ["may be an IPv6 address in brackets", "[2001:db8::7]", "2001:db8::7"],
    ["may be an IPv6 address with a port", "[2001:db8::7]:443, 2001:db8:aaaa::1", "2001:db8::7 443"],
    ["is an IPv4 address where it is mapped", "::ffff:203.0.113.7", "203.0.113.7"],
    ["may be behind a mapped proxy", "203.0.113.7, ::ffff:10.0.0.1", "203.0.113.7"],
    ["is found between empty elements", ", 203.0.113.7,, ,", "203.0.113.7"],
    ["is not invented from an empty field", "", null],
    ["is not invented from commas", ", ,", null],
    ["is unknown where the nearest hop is nonsense", "203.0.113.7, nonsense", null],
    ["is the last known proxy where the hop before it is nonsense", "203.0.113.7, <script>, 10.1.1.1", "10.1.1.1"],
    ["is the last known proxy where the hop before it is unknown", "203.0.113.7, unknown, 10.1.1.1", "10.1.1.1"],
    ["is not an address with an octal number", "203.0.113.010, 10.1.1.1", "10.1.1.1"],
    ["has no port beyond 65535", "203.0.113.7:99999", "203.0.113.7"],
    ["is no name", "localhost", null],
  ] as const) {
    test(title, () => assert.equal(clientOf([`X-Forwarded-For: ${value}`]), expected));
  }

  test("may stand in several lines, which are one list", () =>
    assert.equal(
      clientOf(["X-Forwarded-For: 6.6.6.6", "x-forwarded-for: 203.0.113.7", "X-FORWARDED-FOR: 10.1.1.1"]),
      "203.0.113.7",
    ));

  test("is the right-most with *, since no list says which hops are proxies", () => {
    assert.equal(clientOf(["X-Forwarded-For: 6.6.6.6, 203.0.113.7"], USUAL, "*"), "203.0.113.7");
    assert.equal(clientOf(["X-Forwarded-For: 6.6.6.6, 203.0.113.7, 10.1.1.1"], USUAL, "*"), "10.1.1.1");
    assert.equal(clientOf(["X-Forwarded-For: 6.6.6.6, 203.0.113.7, 10.1.1.1"], USUAL, "*,private"), "203.0.113.7");
  });

  test("is nobody where the field is not believed", () =>
    assert.equal(clientOf(["X-Forwarded-For: 203.0.113.7"], ["x-forwarded-proto"]), null));
});

describe("the client of Forwarded", () => {
  for (const [title, value, expected] of [
    ["is the one address", "for=203.0.113.7", "203.0.113.7"],
    ["may have a port", 'for="203.0.113.7:4711"', "203.0.113.7 4711"],
    ["may be an IPv6 address", 'For="[2001:db8::7]:4711"', "2001:db8::7 4711"],
    ["may have a hidden port", 'for="203.0.113.7:_x"', "203.0.113.7"],
    ["is the right-most that is no proxy", "for=6.6.6.6, for=203.0.113.7;by=_a, for=10.1.1.1", "203.0.113.7"],
    ["is unknown where the proxy does not tell it", "for=unknown", null],
    ["is unknown where the proxy hides it", "for=_SEVKISEK", null],
    ["is the last known proxy where one hides it", "for=203.0.113.7, for=_x, for=10.1.1.1", "10.1.1.1"],
    ["is the last known proxy where one does not say", "for=203.0.113.7, proto=https, for=10.1.1.1", "10.1.1.1"],
    ["is nobody where no element tells", "proto=https", null],
  ] as const) {
    test(title, () => assert.equal(clientOf([`Forwarded: ${value}`]), expected));
  }

  test("counts with the other words of its element", () => {
    const { scheme, host } = claims([
      "Forwarded: for=6.6.6.6;proto=http;host=evil, for=203.0.113.7;proto=https;host=a.example, for=10.1.1.1;proto=http;host=inner",
    ]);
    assert.deepEqual([scheme, host], ["https", "a.example"]);
  });
});

describe("the scheme", () => {
  for (const [fields, expected] of [
    [["X-Forwarded-Proto: https"], "https"],
    [["X-Forwarded-Proto: HTTP"], "http"],
    [["X-Forwarded-Proto: wss"], "https"],
    [["X-Forwarded-Proto: ws"], "http"],
    [["X-Forwarded-Proto: https, http"], "http"],
    [["X-Forwarded-Proto: https", "X-Forwarded-Proto: http"], "http"],
    [["X-Forwarded-Proto: gopher"], null],
    [["X-Forwarded-Proto: "], null],
    [["X-Forwarded-Protocol: ssl"], "https"],
    [["X-Forwarded-Ssl: on"], "https"],
    [["X-Forwarded-Ssl: off"], "http"],
    [["X-Forwarded-Ssl: maybe"], null],
    [["X-Forwarded-Proto: https", "X-Forwarded-Ssl: on", "Forwarded: proto=https"], "https"],
  ] as const) {
    test(`${fields.join("; ")} says ${expected}`, () => assert.equal(claims(fields, USUAL).scheme, expected));
  }
});

describe("fields that contradict each other, or no proxy would write, are refused:", () => {
  for (const fields of [
    ["X-Forwarded-For: 203.0.113.7", "Forwarded: for=127.0.0.1"],
    ["X-Forwarded-For: 127.0.0.1", "Forwarded: for=_hidden"],
    ["X-Forwarded-For: nonsense", "Forwarded: for=203.0.113.7"],
    ["X-Forwarded-Proto: http", "Forwarded: proto=https"],
    ["X-Forwarded-Proto: http", "X-Forwarded-Ssl: on"],
    ["X-Forwarded-Proto: https", "X-Forwarded-Protocol: http"],
    ['Forwarded: for="x, for="[2001:db8::7]"'],
    ["Forwarded: for=1.2.3.4;for=5.6.7.8"],
    ["Forwarded: for=203.0.113.7", 'Forwarded: for="'],
  ]) {
    test(fields.join("; "), () => assert.ok(read(fields, USUAL) instanceof BadForwarding));
  }

  test("not where one of the two is not believed", () => {
    const both = ["X-Forwarded-For: 203.0.113.7", "Forwarded: for=127.0.0.1"];
    assert.equal(clientOf(both, ["x-forwarded-for"]), "203.0.113.7");
    assert.equal(clientOf(both, ["forwarded"]), "127.0.0.1");
  });

  test("not where both say the same", () =>
    assert.equal(
      clientOf(["X-Forwarded-For: 6.6.6.6, 203.0.113.7:1", 'Forwarded: for="[2001:db8::1]", for=203.0.113.7']),
      "203.0.113.7 1",
    ));
});

describe("host, port and prefix", () => {
  for (const [field, expected] of [
    ["X-Forwarded-Host: a.example", "a.example"],
    ["X-Forwarded-Host: evil, a.example:8443", "a.example:8443"],
    ["X-Forwarded-Host: [2001:db8::1]:80", "[2001:db8::1]:80"],
    ["X-Forwarded-Host: a/b", null],
    ["X-Forwarded-Host: a b", null],
    ["X-Forwarded-Host: user@a", null],
    ["X-Forwarded-Host: ", null],
    ["Forwarded: host=a.example", "a.example"],
    ['Forwarded: host="a/b"', null],
  ] as const) {
    test(`${field} gives the host ${expected}`, () => assert.equal(claims([field]).host, expected));
  }

  test("Forwarded gives no host beside X-Forwarded-For: such a proxy lets a client's pass", () =>
    assert.equal(claims(["X-Forwarded-For: 203.0.113.7", "Forwarded: for=203.0.113.7;host=evil"]).host, null));

  for (const [value, expected] of [
    ["8443", 8443],
    ["80, 443", 443],
    ["0", 0],
    ["65536", 0],
    ["-1", 0],
    ["4 43", 0],
    ["x", 0],
  ] as const) {
    test(`X-Forwarded-Port: ${value} gives ${expected}`, () =>
      assert.equal(claims([`X-Forwarded-Port: ${value}`]).port, expected));
  }

  for (const [value, expected] of [
    ["/api", "/api"],
    ["/api/v1/", "/api/v1"],
    ["/evil, /api", "/api"],
    ["/", ""],
    ["api", ""],
    ["//evil.example", ""],
    ["/a//b", ""],
    ["/a/../b", ""],
    ["/..", ""],
    ["/.", ""],
    ["/a/...", "/a/..."],
    ["/a?b", ""],
    ["/a%2fb", ""],
    ["/a\\b", ""],
    ["https://evil.example", ""],
  ] as const) {
    test(`X-Forwarded-Prefix: ${value} gives ${JSON.stringify(expected)}`, () =>
      assert.equal(claims([`X-Forwarded-Prefix: ${value}`]).prefix, expected));
  }

  test("do not count unless they are named", () => {
    const { host, port, prefix } = claims(
      ["X-Forwarded-Host: evil", "X-Forwarded-Port: 1", "X-Forwarded-Prefix: /evil"],
      USUAL,
    );
    assert.deepEqual([host, port, prefix], [null, 0, ""]);
  });
});

const address = fc.oneof(
  fc.ipV4(),
  fc.ipV6(),
  fc.constantFrom("10.0.0.1", "127.0.0.1", "unknown", "_x", "", '"', "for="),
);
const anything = fc.oneof(
  fc.array(address, { maxLength: 5 }).map((list) => list.join(", ")),
  fc.array(address, { maxLength: 5 }).map((list) => list.map((one) => `for="${one}"`).join(", ")),
  fc.string({
    unit: fc.constantFrom("for", "proto", "host", "=", '"', "\\", ";", ",", " ", "1.2.3.4", ":80", "[", "::1", "]"),
    maxLength: 40,
  }),
  fc.string({ unit: "grapheme-ascii" }),
);

test("whatever stands in the fields has an answer, and a client that is one", () => {
  const field = fc.tuple(fc.constantFrom(...FORWARDING_FIELDS, "x-forwarded-ssl", "x-forwarded-protocol"), anything);
  fc.assert(
    fc.property(fc.array(field, { maxLength: 4 }), (fields) => {
      const result = read(fields.map(([name, value]) => `${name}: ${value}`));
      if (result instanceof BadForwarding || result.client === null) return;
      assert.equal(parseIp(result.client.address)?.text, result.client.address);
    }),
    { numRuns: 1000 },
  );
});

test("nothing that a client sends changes what the proxy appends", () => {
  fc.assert(
    fc.property(anything, fc.constantFrom("203.0.113.7", "2001:db8::7"), (forged, real) => {
      assert.equal(clientOf([`X-Forwarded-For: ${forged}, ${real}`]), real);
      assert.equal(
        clientOf([`X-Forwarded-For: ${forged}`, `X-Forwarded-For: ${real}`, "X-Forwarded-For: 10.0.0.1"]),
        real,
      );
      const node = real.includes(":") ? `"[${real}]"` : real;
      const standard = read([`Forwarded: ${forged}, for=${node};proto=https`]);
      if (!(standard instanceof BadForwarding)) {
        assert.equal(standard.client?.address, real);
        assert.equal(standard.scheme, "https");
      }
    }),
    { numRuns: 1000 },
  );
});
