import assert from "node:assert/strict";
import { suite, test } from "node:test";
import fc from "fast-check";
import { canonicalSettings } from "../config/sites/canonical.ts";
import { requestIdSettings } from "../config/sites/request-id.ts";
import { type RewritePlan, rewriteSettings } from "../config/sites/rewrite.ts";
import { canonicalPath } from "../http/canonical-path.ts";
import { decodePathLatin1 } from "../http/target.ts";
import { canonical } from "./canonical.ts";
import { answerWith, Destination, through } from "./house.test.ts";
import { namingRequests } from "./request-id.ts";
import { rewrite, rewriting } from "./rewrite.ts";

const plan = (written: Record<string, unknown>): RewritePlan => rewriteSettings.parse(written);
const path = (written: Record<string, unknown>, from: string, query = ""): string => {
  const now = rewrite(plan(written), from, query);
  return now.query === "" ? now.path : `${now.path}?${now.query}`;
};

suite("another path for whoever answers", () => {
  test("prefixes are taken away, in whole segments, and put before", () => {
    const strip = { "strip-prefix": "/api/" };
    assert.equal(path(strip, "/api/users"), "/users");
    assert.equal(path(strip, "/api"), "/");
    assert.equal(path(strip, "/api/"), "/");
    assert.equal(path(strip, "/apiary"), "/apiary");
    assert.equal(path(strip, "/%61pi/users"), "/users", "however it is spelled");
    assert.equal(path({ "strip-prefix": "/api", "add-prefix": "/v2" }, "/api/users", "a=1"), "/v2/users?a=1");
    assert.equal(path({ "add-prefix": "/v2" }, "/"), "/v2/");
    assert.equal(path({ "strip-prefix": "/café" }, "/caf%c3%a9/x"), "/x");
  });

  test("patterns become what they are written to; the first that matches counts", () => {
    const replace = [
      { pattern: "^/old/(\\d+)/(?<slug>[^/]+)$", to: "/articles/${slug}?id=$1" },
      { pattern: "^/old/", to: "/gone" },
    ];
    assert.equal(path({ replace }, "/old/12/a-b", "page=2"), "/articles/a-b?id=12&page=2");
    assert.equal(path({ replace }, "/old/x", "q"), "/gone?q");
    assert.equal(path({ replace }, "/new"), "/new");
    assert.equal(path({ replace: { pattern: "^(.*)$", to: "/x$$$1" } }, "/a"), "/x$/a");
  });

  test("what is caught cannot leave the path: slashes, question marks and percent signs stay encoded", () => {
    const replace = { pattern: "^/u/(.+)$", to: "/users/$1" };
    assert.equal(path({ replace }, "/u/a%2F..%2fb"), "/users/a%2F..%2Fb");
    assert.equal(path({ replace }, "/u/a%3Fadmin=1"), "/users/a%3Fadmin=1");
    assert.equal(path({ replace }, "/u/%2561"), "/users/%2561");
  });

  test("one spelling means the same path", () => {
    const piece = fc.oneof(
      fc.constantFrom("/", "a", "%61", "%2f", "%2F", "%25", "%", "%zz", "é", "~", "%7e", "+", "%2B", "%20"),
      fc.string({ maxLength: 3 }),
    );
    fc.assert(
      fc.property(fc.array(piece), (pieces) => {
        const from = pieces.join("");
        const spelled = canonicalPath(from);
        assert.equal(decodePathLatin1(spelled), decodePathLatin1(from));
        assert.equal(canonicalPath(spelled), spelled);
      }),
    );
  });

  test("the asterisk-form stays, and the log has the path that was asked for in the target", () => {
    assert.equal(path({ "add-prefix": "/x" }, "*"), "*");
    const destination = new Destination();
    through(rewriting(plan({ "strip-prefix": "/a" })), { path: "/a/b?c" }, destination);
    const { head } = destination.got[0]!;
    assert.deepEqual([head.path, head.query, head.target], ["/b", "c", "/a/b?c"]);
  });

  for (const [written, message] of [
    [{ replace: { pattern: "(", to: "/" } }, /is no regular expression/],
    [{ replace: { pattern: "^/a", to: "/$1" } }, /uses \$1, and its pattern has 0 groups/],
    [{ replace: { pattern: "^/a", to: "b" } }, /does not begin with a slash/],
    [{ "strip-prefix": "api" }, /does not begin with a slash/],
  ] as const)
    test(`refused: ${JSON.stringify(written)}`, () =>
      assert.match(JSON.stringify(rewriteSettings.safeParse(written).error?.issues), message));
});

suite("one scheme and name", () => {
  const location = (written: Record<string, unknown>, host: string, scheme: "http" | "https" = "http"): string => {
    const { answer } = through(canonical(canonicalSettings.parse(written)), {
      path: "/a?b=c",
      scheme,
      fields: [`Host: ${host}`],
    });
    return answer?.status === 200 ? "stays" : `${answer?.status} ${answer?.fields["location"]}`;
  };

  test("plain requests are sent to https", () => {
    assert.equal(location({ https: true }, "example.com:8080"), "308 https://example.com/a?b=c");
    assert.equal(
      location({ https: true, port: 8443, status: 301 }, "example.com"),
      "301 https://example.com:8443/a?b=c",
    );
    assert.equal(location({ https: true }, "example.com", "https"), "stays");
  });

  test("other names are sent to the one, with www or without", () => {
    assert.equal(location({ host: "example.com" }, "www.example.com:8000"), "308 http://example.com:8000/a?b=c");
    assert.equal(location({ host: "example.com" }, "EXAMPLE.com"), "stays");
    assert.equal(location({ www: "remove" }, "www.example.com", "https"), "308 https://example.com/a?b=c");
    assert.equal(location({ www: "remove" }, "www.com"), "stays");
    assert.equal(location({ www: "add", https: true }, "example.com"), "308 https://www.example.com/a?b=c");
    for (const host of ["www.example.com", "localhost", "127.0.0.1:8000", "[::1]"])
      assert.equal(location({ www: "add" }, host), "stays");
  });

  test("where the redirect leads, nothing is redirected", () => {
    fc.assert(
      fc.property(
        fc.record({ https: fc.boolean(), www: fc.constantFrom("add", "remove") }),
        fc.domain(),
        fc.constantFrom("http" as const, "https" as const),
        (written, host, scheme) => {
          const first = location(written, host, scheme);
          if (first === "stays") return;
          const { hostname, protocol } = new URL(first.slice(4));
          assert.equal(location(written, hostname, protocol === "https:" ? "https" : "http"), "stays");
        },
      ),
    );
  });

  test("a configuration that says nothing, or two things, is refused", () => {
    assert.equal(canonicalSettings.safeParse({}).success, false);
    assert.equal(canonicalSettings.safeParse({ host: "a.example", www: "add" }).success, false);
    assert.equal(canonicalSettings.safeParse({ host: "https://a.example" }).success, false);
  });
});

suite("request ids", () => {
  const GIVEN = "X-Request-ID: from-the-proxy";
  const ask = (written: unknown, isTrusted: boolean, ...fields: string[]): { app: string; client: string } => {
    const destination = new Destination();
    const stage = namingRequests(requestIdSettings.parse(written), () => isTrusted);
    const { answer } = through(stage, { fields }, destination);
    const [exchange] = destination.got;
    const app = exchange?.head.headers.get("x-request-id") ?? "";
    assert.equal(exchange?.requestId, app);
    return { app, client: answer?.fields["x-request-id"] ?? "" };
  };

  test("a trusted proxy's is taken over, anybody else's is replaced", () => {
    assert.deepEqual(ask(true, true, GIVEN), { app: "from-the-proxy", client: "from-the-proxy" });
    const own = ask(true, false, GIVEN);
    assert.match(own.app, /^[\da-f-]{36}$/);
    assert.equal(own.client, own.app);
    assert.match(ask({ trust: "none" }, true, GIVEN).app, /^[\da-f-]{36}$/);
    assert.equal(ask({ trust: "all" }, false, GIVEN).app, "from-the-proxy");
  });

  test("what is not well-formed is replaced, whoever sends it", () => {
    for (const bad of ["a b", "x".repeat(129), '"', "é", "a;b", "<x>"])
      assert.match(ask({ trust: "all" }, true, `X-Request-ID: ${bad}`).app, /^[\da-f-]{36}$/);
  });

  test("the app's own answer does not contradict it", () => {
    const destination = new Destination(answerWith(200, "x-request-id", "the app's"));
    const { answer } = through(
      namingRequests(requestIdSettings.parse(true), () => true),
      { fields: [GIVEN] },
      destination,
    );
    assert.equal(answer?.fields["x-request-id"], "from-the-proxy");
  });
});
