/** Which host is whose. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { hostOf, HostTable } from "./hosts.ts";

const sites = [["shop.example.com"], ["*.example.com", "example.com"], ["*.eu.example.com"], ["[::1]"]].map(
  (hosts) => ({ hosts, site: hosts[0]! }),
);

const cases: readonly (readonly [field: string, site: string | undefined])[] = [
  ["shop.example.com", "shop.example.com"],
  ["SHOP.Example.com", "shop.example.com"],
  ["shop.example.com:8443", "shop.example.com"],
  ["shop.example.com.", "shop.example.com"],
  ["shop.example.com.:80", "shop.example.com"],
  ["example.com", "*.example.com"],
  ["a.example.com", "*.example.com"],
  ["a.b.example.com", "*.example.com"],
  ["eu.example.com", "*.example.com"],
  ["x.eu.example.com", "*.eu.example.com"],
  ["x.y.eu.example.com:1", "*.eu.example.com"],
  [".example.com", undefined],
  ["notexample.com", undefined],
  ["example.com.evil", undefined],
  ["[::1]", "[::1]"],
  ["[::1]:8000", "[::1]"],
  ["", undefined],
  [":80", undefined],
];

for (const [field, site] of cases)
  test(`Host: ${field} is ${site ?? "nobody's"}`, () => assert.equal(new HostTable(sites).find(field), site));

test("a site without wildcards is found by its exact names only", () => {
  const table = new HostTable([{ hosts: ["a.example"], site: 1 }]);
  assert.equal(table.find("a.example"), 1);
  assert.equal(table.find("b.a.example"), undefined);
});

test("a hostile field costs no more than its length", () => {
  assert.equal(hostOf("]".repeat(5)), "]".repeat(5));
  assert.equal(new HostTable(sites).find(`${"a.".repeat(20_000)}evil`), undefined);
});
