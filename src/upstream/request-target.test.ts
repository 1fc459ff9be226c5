import assert from "node:assert/strict";
import { test } from "node:test";
import { BadTarget, upstreamTarget } from "./request-target.ts";

// path, query, strip-prefix, base path, what is asked
const CASES: readonly [string, string, string, string, string][] = [
  ["/", "", "", "", "/"],
  ["/a", "b=c", "", "", "/a?b=c"],
  ["/a", "b=c", "", "/base", "/base/a?b=c"],
  ["/api/a", "", "/api", "", "/a"],
  ["/api", "", "/api", "", "/"],
  ["/api/", "", "/api", "", "/"],
  ["/api/v1/a/", "", "/api/v1", "/base", "/base/a/"],
  // What is encoded stays so: the upstream decodes it, once.
  ["/%61pi/a%2Fb%20c", "", "/api", "", "/a%2Fb%20c"],
  ["/a//b", "", "", "", "/a//b"],
  ["/a/./b", "", "", "", "/a/./b"],
  ["/a/..b/...", "", "", "", "/a/..b/..."],
];
for (const [path, query, strip, base, target] of CASES)
  test(`${path} becomes ${target}`, () => assert.equal(upstreamTarget(path, query, strip, base), target));

const REFUSED: readonly [string, string, number][] = [
  ["*", "", 400],
  ["/a/../b", "", 400],
  ["/a/%2e%2E/b", "", 400],
  ["/a/..%2fb", "", 400],
  ["/a/..", "", 400],
  ["/..", "", 400],
  ["/a/..;x/b", "", 400],
  ["/a\\..\\b", "", 400],
  ["/a/..%5cb", "", 400],
  ["/apis/a", "/api", 404],
  ["/api%2Fa", "/api", 404],
];
for (const [path, strip, status] of REFUSED)
  test(`${path} is refused with ${status}`, () => {
    const refused = upstreamTarget(path, "", strip, "");
    assert.ok(refused instanceof BadTarget);
    assert.equal(refused.status, status);
  });
