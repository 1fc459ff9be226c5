/** Health checks: which paths ask, and what is answered when. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { healthAnswer, healthCheck, type HealthFacts, unreadyReason } from "./health.ts";

const well: HealthFacts = {
  phase: "serving",
  serving: 2,
  wanted: 2,
  needsNone: false,
  isCrashLooping: false,
  waiting: 0,
};

test("only the two paths below the prefix are health checks", () => {
  assert.equal(healthCheck("/livez", ""), "livez");
  assert.equal(healthCheck("/-/readyz", "/-"), "readyz");
  for (const path of ["/readyz/", "/-/readyz", "/livezz", "/", "/LIVEZ"]) assert.equal(healthCheck(path, ""), null);
});

test("readiness fails, with its reason, without workers, in a crash loop and from the first moment of a stop", () => {
  assert.equal(unreadyReason(well), null);
  assert.equal(unreadyReason({ ...well, serving: 1 }), null);
  assert.equal(unreadyReason({ ...well, phase: "starting", serving: 0 }), "the workers are starting");
  assert.equal(unreadyReason({ ...well, serving: 0 }), "no worker is ready");
  assert.equal(unreadyReason({ ...well, isCrashLooping: true }), "workers keep dying");
  assert.equal(unreadyReason({ ...well, phase: "draining" }), "the server is stopping");
});

test("liveness is told whatever the workers do", () => {
  assert.deepEqual(healthAnswer("livez", { ...well, phase: "draining", serving: 0 }, ""), {
    status: 200,
    type: "text/plain; charset=utf-8",
    body: "ok\n",
  });
});

test("JSON for who accepts it", () => {
  const { status, type, body } = healthAnswer("readyz", { ...well, serving: 0, waiting: 7 }, "application/json, */*");
  assert.equal(status, 503);
  assert.equal(type, "application/json");
  assert.deepEqual(JSON.parse(body), {
    status: "not ready",
    reason: "no worker is ready",
    workers: { serving: 0, wanted: 2 },
    waiting: 7,
  });
});
