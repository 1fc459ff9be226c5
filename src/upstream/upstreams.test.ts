import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { FakeClock } from "../clock.test.ts";
import { type UpstreamPlan, upstreamSettings } from "../config/sites/upstream.ts";
import { Upstreams } from "./upstreams.ts";

const silent = (): void => {};
const log = { debug: silent, info: silent, warning: silent, error: silent, critical: silent };
const plan = (raw: unknown): UpstreamPlan => upstreamSettings.parse(raw);

test("what is said as before is the same upstream after a reload, what is said otherwise another", () => {
  const upstreams = new Upstreams(new FakeClock(), log);
  const first = upstreams.handler(plan("http://127.0.0.1:9000"));
  assert.equal(upstreams.handler(plan({ url: "http://127.0.0.1:9000" })), first);
  assert.notEqual(upstreams.handler(plan({ url: "http://127.0.0.1:9000", "max-connections": 2 })), first);
  assert.notEqual(upstreams.handler(plan("http://127.0.0.1:9001")), first);
});

test("certificates that have changed make it another, and a file that is gone is told", () => {
  const folder = mkdtempSync(join(tmpdir(), "maitred-upstreams-"));
  const ca = join(folder, "ca.pem");
  const secure = plan({ url: "https://127.0.0.1:9000", tls: { ca } });
  const upstreams = new Upstreams(new FakeClock(), log);
  assert.throws(() => upstreams.handler(secure), /ENOENT.*ca\.pem/);
  writeFileSync(ca, "one");
  const first = upstreams.handler(secure);
  assert.equal(upstreams.handler(secure), first);
  writeFileSync(ca, "another");
  assert.notEqual(upstreams.handler(secure), first);
  rmSync(folder, { recursive: true });
});

test("those that no configuration names any more are forgotten past a bound", () => {
  const upstreams = new Upstreams(new FakeClock(), log);
  const first = upstreams.handler(plan("http://127.0.0.1:1"));
  for (let port = 2; port <= 257; port++) upstreams.handler(plan(`http://127.0.0.1:${port}`));
  assert.notEqual(upstreams.handler(plan("http://127.0.0.1:1")), first);
});
