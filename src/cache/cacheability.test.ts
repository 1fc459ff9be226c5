/** What may be stored (RFC 9111 section 3), and how it is stored (3.1). */
import assert from "node:assert/strict";
import { test } from "node:test";
import { cacheDefaults, type CachePlan } from "../config/sites/cache-plan.ts";
import { judge, type Storable } from "./cacheability.ts";
import { valueOf, valuesOf } from "../http/field-lines.ts";

const TIMES = { wall: Date.UTC(2026, 0, 1), delayMs: 0 };
const PLAIN = { hasAuthorization: false, hasCookie: false, hasSession: false, saysNoStore: false };

interface Case {
  readonly status?: number;
  readonly request?: Partial<typeof PLAIN>;
  readonly plan?: Partial<CachePlan>;
}

function judged(
  flat: readonly string[],
  { status = 200, request = {}, plan = {} }: Case = {},
): ReturnType<typeof judge> {
  return judge({ ...PLAIN, ...request }, status, flat, TIMES, { ...cacheDefaults, ...plan });
}

function stored(flat: readonly string[], more: Case = {}): Storable {
  const outcome = judged(flat, more);
  assert.equal(outcome.type, "storable", outcome.type === "storable" ? "" : outcome.why);
  return outcome as Storable;
}

const CC = "Cache-Control";
const may: readonly [what: string, flat: readonly string[], more?: Case][] = [
  ["max-age", [CC, "max-age=1"]],
  ["s-maxage", [CC, "s-maxage=1"]],
  ["Expires", ["Expires", "Thu, 01 Jan 2027 00:00:00 GMT"]],
  ["any final status with explicit freshness", [CC, "max-age=1"], { status: 599 }],
  ["an error with explicit freshness", [CC, "max-age=1"], { status: 500 }],
  ["no-cache, to be validated", [CC, "no-cache", "ETag", '"1"']],
  ["must-understand with a status that is understood", [CC, "max-age=1, no-store, must-understand"]],
  ["Authorization with public", [CC, "max-age=1, public"], { request: { hasAuthorization: true } }],
  ["Authorization with s-maxage", [CC, "s-maxage=1"], { request: { hasAuthorization: true } }],
  ["Authorization with must-revalidate", [CC, "max-age=1, must-revalidate"], { request: { hasAuthorization: true } }],
  ["a cookie in the request", [CC, "max-age=1"], { request: { hasCookie: true } }],
  ["private fields only", [CC, 'max-age=1, private="X-User"']],
  ["CDN-Cache-Control in place of no-store (RFC 9213)", [CC, "no-store", "CDN-Cache-Control", "max-age=1"]],
  ["Set-Cookie where that is asked for", [CC, "max-age=1", "Set-Cookie", "a=b"], { plan: { setCookie: "store" } }],
  ["nothing said, with a time of the operator's", [], { plan: { ttlMs: 5000 } }],
];

const mayNot: readonly [what: string, flat: readonly string[], why: RegExp, more?: Case][] = [
  ["no-store", [CC, "max-age=1, No-StOrE"], /no-store/],
  ["private", [CC, "max-age=1, private"], /private/],
  ["206, which we do not put together", [CC, "max-age=1"], /206/, { status: 206 }],
  ["must-understand with a status that is not", [CC, "max-age=1, no-store, must-understand"], /599/, { status: 599 }],
  [
    "Authorization with max-age alone (3.5)",
    [CC, "max-age=1"],
    /Authorization/,
    { request: { hasAuthorization: true } },
  ],
  ["a request that says no-store", [CC, "max-age=1"], /request says/, { request: { saysNoStore: true } }],
  ["Set-Cookie", [CC, "max-age=1", "Set-Cookie", "a=b"], /cookie/],
  ["Vary: *", [CC, "max-age=1", "Vary", "Accept, *"], /Vary/],
  ["nothing said", [], /nothing says/],
  ["a validator alone", ["ETag", '"1"'], /nothing says/],
  [
    "Last-Modified alone, to a request with cookies",
    ["Last-Modified", "Thu, 01 Jan 2020 00:00:00 GMT"],
    /nothing says/,
    { request: { hasCookie: true } },
  ],
  ["CDN-Cache-Control: no-store", [CC, "max-age=1", "CDN-Cache-Control", "no-store"], /no-store/],
  ["a CDN-Cache-Control that is none does not help", [CC, "no-store", "CDN-Cache-Control", 'max-age="1"'], /no-store/],
  ["Surrogate-Control: no-store", [CC, "max-age=1", "Surrogate-Control", "no-store"], /no-store/],
];

for (const [what, flat, more] of may) test(`may be stored: ${what}`, () => assert.ok(stored(flat, more)));
for (const [what, flat, why, more] of mayNot)
  test(`may not be stored: ${what}`, () => {
    const outcome = judged(flat, more);
    assert.ok(outcome.type === "not storable" && why.test(outcome.why), JSON.stringify(outcome));
  });

test("fields of the connection and of the framing are not stored, nor those that are named so (3.1)", () => {
  const { flat } = stored(
    'Connection|X-Hop, close|X-Hop|1|Keep-Alive|5|Transfer-Encoding|chunked|TE|x|Upgrade|x|Proxy-Authenticate|x|Proxy-Connection|x|Content-Length|5|Age|3|Cache-Control|max-age=9, no-cache="X-Once", private="X-User"|X-Once|1|X-User|2|X-Kept|a|X-Kept|b'.split(
      "|",
    ),
  );
  assert.deepEqual(
    flat.filter((_, i) => i % 2 === 0),
    [CC, "X-Kept", "X-Kept", "Date"],
  );
});

test("a response without a date, or with one that is none, gets the time it came (RFC 9110 section 6.6.1)", () => {
  for (const date of [[], ["Date", "yesterday"]]) {
    const { flat } = stored([...date, CC, "max-age=1"]);
    assert.deepEqual(valuesOf(flat, "date"), ["Thu, 01 Jan 2026 00:00:00 GMT"]);
  }
});

test("what may be done after its time", () => {
  assert.equal(stored([CC, "max-age=1"]).staleness, "as configured");
  assert.equal(stored([CC, "s-maxage=1"]).staleness, "as it says");
  assert.equal(stored([CC, "max-age=1, must-revalidate"]).staleness, "never");
  assert.equal(stored([CC, "max-age=1, proxy-revalidate"]).staleness, "never");
  const said = stored([CC, "max-age=1, stale-while-revalidate=2, stale-if-error=3"]);
  assert.deepEqual([said.staleWhileRevalidate, said.staleIfError], [2, 3]);
});

test("for visitors without a session Vary: Cookie tells nobody apart; Set-Cookie is taken off where that is asked for", () => {
  assert.deepEqual(stored([CC, "max-age=1", "Vary", "Cookie, Accept"], { plan: { anonymous: true } }).vary, ["accept"]);
  const { flat } = stored([CC, "max-age=1", "Set-Cookie", "a=b"], { plan: { setCookie: "strip" } });
  assert.equal(valueOf(flat, "set-cookie"), undefined);
});
