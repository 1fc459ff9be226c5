/** Keys and variants: what tells responses apart, and what does not. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { cacheDefaults, type CachePlan } from "../config/sites/cache-plan.ts";
import { headers, request } from "./house.test.ts";
import { keyRules, shelfName, targetKey } from "./key.ts";
import { matcher } from "./pattern.ts";
import { variantKey, varyNames } from "./vary.ts";

function key(target: string, plan: Partial<CachePlan> = {}): string {
  return targetKey(request(target).head, keyRules({ ...cacheDefaults, ...plan }));
}

const targets: readonly [target: string, plan: Partial<CachePlan>, key: string][] = [
  ["/a?b=1&a=2", {}, "/a?b=1&a=2"],
  ["/a?b=1&a=2&b=0", { sortQuery: true }, "/a?a=2&b=1&b=0"],
  ["/a?utm_source=x&a=1&utm_id=2", { ignoreQuery: ["utm_*"] }, "/a?a=1"],
  ["/a?utm_source=x", { ignoreQuery: ["utm_*"] }, "/a"],
  ["/a?%75tm_source=x&a=1", { ignoreQuery: ["utm_*"] }, "/a?a=1"],
  ["/a?preview=1&preview=0", { ignoreQuery: ["preview=1"] }, "/a?preview=0"],
  ["/a?a=1", { ignoreQuery: ["*"] }, "/a"],
  ["/a?%zz=1&b", { ignoreQuery: ["c"], sortQuery: true }, "/a?%zz=1&b"],
  ["/a?", {}, "/a?"],
];
for (const [target, plan, expected] of targets)
  test(`${target} with ${JSON.stringify(plan)} is ${expected}`, () => assert.equal(key(target, plan), expected));

test("scheme, host and prefix are the key's, the host in any letter case; cookies and fields where asked for", () => {
  const plan = { ...cacheDefaults, keyCookies: ["lang", "ab*"], keyHeaders: ["X-Tenant"] };
  const plain = keyRules(cacheDefaults);
  assert.equal(shelfName(request("/", { Host: "EXAMPLE.com:80" }), plain), "http://example.com:80");
  assert.equal(shelfName(request("/", { Host: "x", Cookie: "lang=de" }), plain), "http://x");
  const one = shelfName(
    request("/", { Host: "x", Cookie: "other=1; lang=de; ab1=2", "X-Tenant": "t" }),
    keyRules(plan),
  );
  const two = shelfName(request("/", { Host: "x", Cookie: "ab1=2; lang=de", "X-Tenant": "t" }), keyRules(plan));
  assert.equal(one, two);
  assert.notEqual(
    one,
    shelfName(request("/", { Host: "x", Cookie: "ab1=2; lang=en", "X-Tenant": "t" }), keyRules(plan)),
  );
});

test("an asterisk stands for any characters, everything else for itself", () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), (before, after) => {
      const literal = before.replaceAll(/[*=]/g, "");
      assert.equal(matcher([`${literal}*`])?.(literal + after, ""), true);
      if (literal !== "") assert.equal(matcher([literal])?.(`${literal}x`, ""), false);
    }),
  );
});

test("Vary: names of all lines, sorted; an asterisk anywhere is null (RFC 9110 section 12.5.5)", () => {
  assert.deepEqual(varyNames([]), []);
  assert.deepEqual(varyNames(["B, a", "A,,c"]), ["a", "b", "c"]);
  for (const lines of [["*"], ["*, *"], [", *"], ["", "*"], ["Foo, *"]]) assert.equal(varyNames(lines), null);
});

const same: readonly [name: string, one: string, other: string, isSame: boolean][] = [
  ["Foo", "1, 2", " 1 ,2 ", true],
  ["Foo", "1, 2", "2, 1", false],
  ["Foo", "a", "A", false],
  ["Accept-Language", "en, de", "EN,dE", true],
  ["Accept-Language", "en, de", "de, en", false],
  ["Accept-Encoding", "gzip, br", "br,GZIP", true],
  ["Accept-Encoding", "gzip;q=1", "gzip;q=0", false],
];
for (const [name, one, other, isSame] of same)
  test(`${name}: ${one} and ${other} are ${isSame ? "the same" : "different"}`, () =>
    assert.equal(
      variantKey([name.toLowerCase()], headers({ [name]: one })) ===
        variantKey([name.toLowerCase()], headers({ [name]: other })),
      isSame,
    ));

test("a field that is empty is not one that is absent, and no value can pose as two fields", () => {
  assert.notEqual(variantKey(["foo"], headers({})), variantKey(["foo"], headers({ Foo: "" })));
  assert.notEqual(variantKey(["foo"], headers({})), variantKey(["foo"], headers({ Foo: "-" })));
  assert.notEqual(variantKey(["a", "b"], headers({ A: "1", B: "2" })), variantKey(["a", "b"], headers({ A: "1,2" })));
});
