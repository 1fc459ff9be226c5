import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { issuesOf } from "../file/issues.ts";
import { upstreamSettings } from "./upstream.ts";

function mistakes(raw: unknown): string[] {
  const parsed = upstreamSettings.safeParse(raw);
  return parsed.success ? [] : issuesOf(parsed.error, raw).map(({ text }) => text);
}

describe("an upstream", () => {
  test("is a URL", () => {
    assert.deepEqual(upstreamSettings.parse("http://127.0.0.1:9000"), {
      url: "http://127.0.0.1:9000",
      scheme: "http",
      host: "127.0.0.1",
      port: 9000,
      socketPath: null,
      authority: "127.0.0.1:9000",
      basePath: "",
      hostHeader: null,
      stripPrefix: "",
      forwarding: "x-forwarded",
      connectTimeoutMs: 10_000,
      responseTimeoutMs: 60_000,
      idleTimeoutMs: 60_000,
      keepAliveMs: 4000,
      maxConnections: 512,
      maxHeadBytes: 65_536,
      tls: { verify: true, serverName: null, caFile: null },
    });
  });

  const ADDRESSES: readonly [string, object][] = [
    ["https://shop.example", { scheme: "https", host: "shop.example", port: 443, authority: "shop.example" }],
    ["http://[::1]:9000/base/", { host: "::1", port: 9000, authority: "[::1]:9000", basePath: "/base" }],
    ["unix:/run/app.sock", { socketPath: "/run/app.sock", authority: "localhost" }],
  ];
  for (const [url, expected] of ADDRESSES)
    test(url, () => {
      const plan = upstreamSettings.parse(url);
      for (const [key, value] of Object.entries(expected)) assert.equal(plan[key as keyof typeof plan], value);
    });

  test("is a table", () => {
    const plan = upstreamSettings.parse({
      url: "https://10.0.0.2:9000",
      host: "upstream",
      "strip-prefix": "/api/",
      forwarding: "both",
      "connect-timeout": "2s",
      "response-timeout": 5,
      "idle-timeout": 0,
      "keep-alive": "30s",
      "max-connections": 8,
      "max-head-size": "16k",
      tls: { verify: false, "server-name": "inner.example", ca: "/etc/ca.pem" },
    });
    assert.deepEqual(
      [plan.hostHeader, plan.stripPrefix, plan.forwarding, plan.connectTimeoutMs, plan.responseTimeoutMs],
      ["10.0.0.2:9000", "/api", "both", 2000, 5000],
    );
    assert.deepEqual(
      [plan.idleTimeoutMs, plan.keepAliveMs, plan.maxConnections, plan.maxHeadBytes],
      [0, 30_000, 8, 16_384],
    );
    assert.deepEqual(plan.tls, { verify: false, serverName: "inner.example", caFile: "/etc/ca.pem" });
    assert.equal(upstreamSettings.parse({ url: "http://a", host: "shop.example:81" }).hostHeader, "shop.example:81");
  });

  const WRONG: readonly [unknown, RegExp][] = [
    ["127.0.0.1:9000", /^ = "[^"]+" is no upstream: write/],
    ["ftp://a", /^ = "[^"]+" is no upstream: write/],
    ["unix:run/app.sock", /is no Unix socket/],
    ["http://user:word@a", /has a user name/],
    ["http://a/?b", /has a query/],
    [{ url: "http://a", "strip-prefix": "api" }, /^strip-prefix = "api" is no path/],
    [{ url: "http://a", host: "a/b" }, /^host = "a\/b" is no host/],
    [{ url: "http://a", "connect-timeout": "soon" }, /^connect-timeout = "soon" is not a time span/],
    [{ url: "http://a", conect: 1 }, /conect/],
    [{}, /url/],
  ];
  for (const [raw, expected] of WRONG)
    test(`${JSON.stringify(raw)} is wrong`, () => assert.match(mistakes(raw).join("\n"), expected));
});
