import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { type CorsPlan, corsSettings } from "../config/sites/cors.ts";
import { isAllowedOrigin, sharing } from "./cors.ts";
import { type Answer, answerWith, Destination, through } from "./house.test.ts";

const APP = "https://app.example.com";
const plan = (written: Record<string, unknown>): CorsPlan => corsSettings.parse(written);

function ask(written: Record<string, unknown>, origin: string | null, ...flat: string[]): Answer {
  const fields = origin === null ? [] : [`Origin: ${origin}`];
  return through(sharing(plan(written)), { fields }, new Destination(answerWith(200, ...flat))).answer!;
}

suite("which origins", () => {
  const patterns = plan({ origins: [APP, "https://*.example.org", "http://localhost:5173"] });
  const cases: readonly (readonly [string, boolean])[] = [
    [APP, true],
    ["https://app.example.com:443", false], // no browser says it so
    ["http://app.example.com", false],
    ["https://app.example.com:8443", false],
    ["https://app.example.com.evil.example", false],
    ["https://evil-app.example.com", false],
    ["https://a.example.org", true],
    ["https://a.b.example.org", true],
    ["https://example.org", false],
    ["https://evilexample.org", false],
    ["https://.example.org", false],
    ["https://a.example.org@evil.example", false],
    ["http://localhost:5173", true],
    ["http://localhost", false],
    ["null", false],
    ["", false],
    ["https://a.example.org, https://evil.example", false],
  ];
  for (const [origin, isAllowed] of cases)
    test(`${origin || "an empty one"}: ${isAllowed ? "yes" : "no"}`, () =>
      assert.equal(isAllowedOrigin(patterns, origin), isAllowed));

  test("null only where it is named", () => {
    assert.equal(isAllowedOrigin(plan({ origins: ["null"] }), "null"), true);
  });
});

suite("responses", () => {
  test("say who may read them, and that they depend on it", () => {
    const { fields } = ask({ origins: [APP], credentials: true, expose: ["X-Total"] }, APP, "Vary", "Cookie");
    assert.deepEqual(fields, {
      "access-control-allow-origin": APP,
      "access-control-allow-credentials": "true",
      "access-control-expose-headers": "X-Total",
      vary: "Cookie, Origin",
    });
  });

  test("for another origin, or none, they say nothing but that", () => {
    for (const origin of ["https://evil.example", null])
      assert.deepEqual(ask({ origins: [APP] }, origin).fields, { vary: "Origin" });
  });

  test("for all origins they are the same for all", () => {
    assert.deepEqual(ask({ origins: "*" }, "https://any.example").fields, { "access-control-allow-origin": "*" });
    assert.deepEqual(ask({ origins: "*" }, null).fields, { "access-control-allow-origin": "*" });
  });

  test("what the app says itself is replaced", () => {
    const { fields } = ask(
      { origins: [APP] },
      "https://evil.example",
      "Access-Control-Allow-Origin",
      "*",
      "Vary",
      "origin",
    );
    assert.deepEqual(fields, { vary: "origin" });
  });
});

suite("preflights", () => {
  const stage = sharing(
    plan({ origins: [APP], methods: ["put"], headers: ["X-Token"], "max-age": "1h", credentials: true }),
  );
  const preflight = (origin: string, method = "PUT", ...more: string[]): Answer & { readonly reached: number } => {
    const destination = new Destination();
    const fields = [`Origin: ${origin}`, `Access-Control-Request-Method: ${method}`, ...more];
    const { answer } = through(stage, { method: "OPTIONS", fields }, destination);
    return { ...answer!, reached: destination.got.length };
  };

  test("are answered here", () => {
    const { status, fields, reached } = preflight(APP);
    assert.deepEqual([status, reached], [204, 0]);
    assert.deepEqual(fields, {
      vary: "Origin, Access-Control-Request-Method, Access-Control-Request-Headers",
      "cache-control": "no-store",
      "access-control-allow-origin": APP,
      "access-control-allow-credentials": "true",
      "access-control-allow-methods": "GET, HEAD, POST, PUT",
      "access-control-allow-headers": "X-Token",
      "access-control-max-age": "3600",
    });
  });

  test("of another origin get nothing that would let it in", () => {
    const { status, fields, reached } = preflight("https://evil.example");
    assert.deepEqual([status, reached, fields["access-control-allow-origin"]], [403, 0, undefined]);
  });

  test("an OPTIONS that is none goes on to the app", () => {
    const destination = new Destination();
    through(stage, { method: "OPTIONS", fields: [`Origin: ${APP}`] }, destination);
    assert.equal(destination.got.length, 1);
  });

  test("names that are asked for are only repeated where they are names", () => {
    const any = sharing(plan({ origins: "*", headers: "*" }));
    const asking = (names: string): string | undefined =>
      through(any, {
        method: "OPTIONS",
        fields: [`Origin: ${APP}`, "Access-Control-Request-Method: GET", `Access-Control-Request-Headers: ${names}`],
      }).answer?.fields["access-control-allow-headers"];
    assert.equal(asking("x-a, x-b"), "x-a, x-b");
    assert.equal(asking('x-a"; <script>'), undefined);
  });
});

suite("what must not be written", () => {
  for (const [written, message] of [
    [{ origins: "*", credentials: true }, /credentials together with the origin/],
    [{ origins: ["*", APP] }, /has origins beside/],
    [{ origins: ["https://*.com"] }, /everybody of a top-level domain/],
    [{ origins: ["example.com"] }, /is no origin/],
    [{ origins: ["https://example.com/"] }, /is no origin/],
    [{ origins: [] }, /origins|small/i],
  ] as const)
    test(JSON.stringify(written), () =>
      assert.match(JSON.stringify(corsSettings.safeParse(written).error?.issues), message),
    );
});
