import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type Coding, chooseCoding, chooseForm, chooseMediaType } from "./negotiation.ts";

const ALL: readonly Coding[] = ["zstd", "br", "gzip"];

describe("the coding of a response", () => {
  const cases: readonly (readonly [string | undefined, Coding | null])[] = [
    [undefined, null],
    ["", null],
    ["gzip", "gzip"],
    ["gzip, deflate, br, zstd", "zstd"],
    ["gzip, deflate, br", "br"],
    ["GZIP", "gzip"],
    ["x-gzip", "gzip"],
    ["*", "zstd"],
    ["identity", null],
    ["deflate", null],
    ["compress, gzip", "gzip"],
    // Weights go before our order.
    ["br;q=0.8, gzip;q=1.0, zstd;q=0.5", "gzip"],
    ["br;q=0.8, gzip ; q=0.8", "br"],
    ["gzip;q=0.001", "gzip"],
    ["gzip;q=0", null],
    ["gzip;q=0.000", null],
    ["*;q=0", null],
    ["*;q=0, br", "br"],
    ["zstd;q=0, *", "br"],
    ["br;q=0, zstd;q=0, *;q=0.1", "gzip"],
    // What the client says about the plain thing.
    ["identity;q=1, gzip;q=0.5", null],
    ["identity, gzip", "gzip"],
    ["identity;q=0.5, gzip;q=1", "gzip"],
    ["gzip;q=0.5, identity;q=0", "gzip"],
    // Nothing we have and no identity either: the plain thing nevertheless (section 12.5.3 lets us).
    ["identity;q=0", null],
    ["deflate, identity;q=0", null],
    // Broken members count as not there.
    ["gzip;q=2", null],
    ["gzip;q=1.5, br", "br"],
    ["gzip;q=-1", null],
    ["gzip;q=0.1234, br", "br"],
    ["gzip;q=", null],
    ["gzip;q=abc, zstd", "zstd"],
    ["gzip br", null],
    [",,,gzip,,", "gzip"],
    [";q=1, gzip", "gzip"],
    ["gzip;x=1;q=0", null],
    ["gzip;q=1;q=0", "gzip"],
    ["gzip, gzip;q=0", "gzip"],
    ["gzip\u00e9", null],
    ["\tgzip\t", "gzip"],
  ];
  for (const [field, coding] of cases)
    test(`${JSON.stringify(field)} is answered with ${coding ?? "identity"}`, () =>
      assert.equal(chooseCoding(field, ALL), coding));

  test("is one of those offered", () => {
    assert.equal(chooseCoding("zstd, br, gzip", ["gzip"]), "gzip");
    assert.equal(chooseCoding("zstd, br, gzip", ["gzip", "br"]), "gzip");
    assert.equal(chooseCoding("zstd", ["gzip"]), null);
    assert.equal(chooseCoding("gzip", []), null);
  });

  test("is found in time that grows with the field's length only", () => {
    const fields = [",".repeat(60_000), ";q=".repeat(20_000), `${"a".repeat(60_000)};q=1`, "gzip;q=0.5 ".repeat(6000)];
    for (const field of fields) assert.equal(chooseCoding(field, ALL), null);
  });
});

describe("the form of a file", () => {
  const plain = { coding: null, bytes: 9 };
  const gzip = { coding: "gzip", bytes: 5 } as const;
  const br = { coding: "br", bytes: 4 } as const;
  const cases = [
    ["gzip, br", br],
    ["gzip, br;q=0.5", gzip],
    ["zstd", plain],
    [undefined, plain],
    ["identity, gzip;q=0.5", plain],
  ] as const;
  for (const [field, form] of cases)
    test(`for ${field ?? "no field"} is ${form.coding ?? "the plain one"}`, () =>
      assert.equal(chooseForm<{ coding: Coding | null; bytes: number }>(field, [plain, br, gzip]), form));

  test("does not depend on what other clients invent", () => {
    for (let count = 0; count < 1000; count++)
      assert.equal(chooseCoding(`gzip;q=0.5, br;q=0.1, x${count}`, ALL), "gzip");
    assert.equal(chooseCoding("br", ALL), "br");
  });
});

describe("the media type of a response", () => {
  const OFFERED = ["text/plain", "text/html", "application/json"] as const;
  const cases: readonly (readonly [string | undefined, (typeof OFFERED)[number] | null])[] = [
    [undefined, "text/plain"],
    ["*/*", "text/plain"],
    ["text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "text/html"],
    ["application/json", "application/json"],
    ["application/json, text/plain, */*", "text/plain"],
    ["application/*", "application/json"],
    ["text/*;q=0.5, application/json", "application/json"],
    ["text/*, text/plain;q=0.1", "text/html"],
    ["text/html;level=1;q=0.7, */*;q=0.1", "text/html"],
    ["image/png", null],
    ["*/*;q=0", null],
    ["nonsense", null],
  ];
  for (const [field, type] of cases)
    test(`${JSON.stringify(field)} prefers ${type}`, () => assert.equal(chooseMediaType(field, OFFERED), type));
});
