/** `cache = …` of a route. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { cacheSettings } from "./cache.ts";
import { cacheDefaults, type CachePlan } from "./cache-plan.ts";

function read(given: unknown): CachePlan {
  const outcome = cacheSettings.safeParse(given);
  assert.ok(outcome.success, JSON.stringify(outcome.error?.issues));
  return outcome.data;
}

test("true is the app's own rules, and so is an empty table", () => {
  assert.deepEqual(read(true), cacheDefaults);
  assert.deepEqual(read({}), cacheDefaults);
});

test("microcaching in one line", () => {
  const plan = read("anonymous 500ms");
  assert.deepEqual(
    [plan.anonymous, plan.ttlMs, plan.staleWhileRevalidateMs, plan.requestDirectives],
    [true, 500, 500, false],
  );
});

test("every key of the table acts on its own field", () => {
  const given = {
    anonymous: true,
    "session-cookies": ["a"],
    ttl: "1s",
    heuristic: 0,
    "stale-while-revalidate": "2s",
    "stale-if-error": "3s",
    "stale-if-down": "4s",
    "max-object": "1k",
    "bypass-cookies": ["b"],
    "bypass-headers": ["c"],
    "bypass-query": ["d=1"],
    "key-cookies": ["e"],
    "key-headers": ["f"],
    "ignore-query": ["g*"],
    "sort-query": true,
    "set-cookie": "strip",
    "request-directives": true,
    coalesce: false,
    "status-header": false,
    "keep-tags": true,
    "purge-from": ["10.0.0.0/8", "unix"],
  };
  const plan = read(given);
  assert.deepEqual(plan, {
    anonymous: true,
    sessionCookies: ["a"],
    ttlMs: 1000,
    heuristicMs: 0,
    staleWhileRevalidateMs: 2000,
    staleIfErrorMs: 3000,
    staleIfDownMs: 4000,
    maxObjectBytes: 1024,
    bypassCookies: ["b"],
    bypassHeaders: ["c"],
    bypassQuery: ["d=1"],
    keyCookies: ["e"],
    keyHeaders: ["f"],
    ignoreQuery: ["g*"],
    sortQuery: true,
    setCookie: "strip",
    requestDirectives: true,
    coalesce: false,
    statusHeader: false,
    keepTags: true,
    purgeFrom: ["10.0.0.0/8", "unix"],
  } satisfies CachePlan);
  for (const key of Object.keys(cacheDefaults) as (keyof CachePlan)[])
    if (key !== "requestDirectives") assert.notDeepEqual(plan[key], cacheDefaults[key], key);
});

test("a session or a query by a name that is none, an address, a word: each is told", () => {
  for (const given of [
    "anonymous",
    "anonymous 0",
    "5s",
    5,
    { ttl: "soon" },
    { "key-cookies": ["a b"] },
    { "purge-from": ["x"] },
    { nonsense: 1 },
  ])
    assert.equal(cacheSettings.safeParse(given).success, false, JSON.stringify(given));
});
