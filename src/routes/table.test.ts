/** Which pattern takes which path. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { HeaderBlock } from "../http/header-block.ts";
import { headerName } from "../http/header-names.ts";
import { parsePattern, type PathPattern } from "../http/path-pattern.ts";
import type { RequestHead } from "../http/request-head.ts";
import { RouteTable } from "./table.ts";

function pattern(text: string): PathPattern {
  const parsed = parsePattern(text);
  return "why" in parsed ? assert.fail(parsed.why) : parsed;
}

function head(path: string, method = "GET", ...fields: string[]): RequestHead {
  const names = fields.filter((_, at) => at % 2 === 0).map((name) => headerName(name)!);
  const headers = new HeaderBlock(
    names,
    fields.filter((_, at) => at % 2 === 1),
    true,
    false,
    false,
  );
  return {
    method,
    target: path,
    path,
    query: "",
    version: "1.1",
    headers,
    framing: "none",
    contentLength: 0,
    keepAlive: true,
    expectsContinue: false,
  };
}

function table(...texts: string[]): RouteTable<string> {
  return new RouteTable(
    texts.map((text) => ({ pattern: pattern(text), destination: text })),
    "rest",
  );
}

const cases: readonly [patterns: readonly string[], path: string, found: string][] = [
  [["/reports"], "/reports", "/reports"],
  [["/reports"], "/reports/", "/reports"],
  [["/reports"], "/reports/2024/may", "/reports"],
  [["/reports"], "/reportsfoo", "rest"],
  [["/reports"], "/", "rest"],
  [["/reports"], "*", "rest"],
  [["/reports"], "/Reports", "rest"],
  [["/reports/"], "/reports", "/reports/"],
  [["/"], "/anything", "/"],
  [["/"], "*", "rest"],
  [["/$"], "/", "/$"],
  [["/$"], "/anything", "rest"],
  [["/reports$"], "/reports", "/reports$"],
  [["/reports$"], "/reports/", "rest"],
  [["/users/*/export"], "/users/5/export", "/users/*/export"],
  [["/users/*/export"], "/users/5/export/csv", "/users/*/export"],
  [["/users/*/export"], "/users/5/exports", "rest"],
  [["/users/*/export"], "/users//export", "rest"],
  [["/users/*/export"], "/users/5/6/export", "rest"],
  [["/files/*.pdf$"], "/files/a.b.pdf", "/files/*.pdf$"],
  [["/files/*.pdf$"], "/files/a.pdf/x", "rest"],
  [["/files/*.pdf$"], "/files/axpdf", "rest"],
  [["/a", "/a/b"], "/a/b/c", "/a/b"],
  [["/a/b", "/a"], "/a/c", "/a"],
  [["/a/*", "/a/b"], "/a/b", "/a/b"],
  [["/a/*", "/a/b"], "/a/x", "/a/*"],
  [["/a/b", "/a/b$"], "/a/b", "/a/b$"],
  [["/a/*/c", "/a/b"], "/a/b/c", "/a/*/c"],
  // As the application sees it.
  [["/reports"], "/%72eports/1", "/reports"],
  [["/reports"], "/reports%2F1", "/reports"],
  [["/caf\u00e9"], "/caf%C3%A9", "/caf\u00e9"],
  [["/reports"], "//reports", "rest"],
  [["/reports"], "/x/../reports", "rest"],
  [["/%zz"].slice(1), "/%zz", "rest"],
];

for (const [patterns, path, found] of cases) {
  test(`${patterns.join(" ")} and ${path}: ${found}`, () => {
    assert.equal(table(...patterns).find(head(path)), found);
    assert.equal(table(...patterns.toReversed()).find(head(path)), found, "in any order");
  });
}

for (const text of ["reports", "", "/a?b", "/a b", "/a$b", "/a/**", "/a*b*", "/%41"]) {
  test(`"${text}" is no pattern`, () => assert.ok("why" in parsePattern(text)));
}

test("a hostile path costs no more than its length", () => {
  const routes = table("/a*b/a*b/a*c$");
  const begun = performance.now();
  assert.equal(routes.find(head(`/${"ab".repeat(3000)}/${"ab".repeat(3000)}/${"ab".repeat(3000)}`)), "rest");
  assert.ok(performance.now() - begun < 1000);
});

test("of routes with one pattern the one that asks for more decides, and who meets none goes on", () => {
  const of = (name: string, text: string, methods: string[], ...headers: [string, string | null][]) => ({
    pattern: pattern(text),
    condition: { methods, headers: headers.map(([name, value]) => ({ name, value })) },
    destination: name,
  });
  const routes = new RouteTable(
    [
      { pattern: pattern("/a"), destination: "any" },
      of("read", "/a", ["GET"]),
      of("beta", "/a", [], ["x-beta", "1"]),
      of("signed", "/a", ["POST"], ["authorization", null]),
      of("exact", "/a/b$", ["POST"]),
    ],
    "rest",
  );
  assert.equal(routes.find(head("/a", "PUT")), "any");
  assert.equal(routes.find(head("/a")), "read");
  assert.equal(routes.find(head("/a", "HEAD")), "read");
  assert.equal(routes.find(head("/a", "GET", "X-Beta", "1")), "beta");
  assert.equal(routes.find(head("/a", "GET", "X-Beta", "2")), "read");
  assert.equal(routes.find(head("/a", "POST", "Authorization", "x")), "signed");
  assert.equal(routes.find(head("/a/b", "POST")), "exact");
  assert.equal(routes.find(head("/a/b", "PUT")), "any", "an exact route for another method lets through");
  assert.equal(routes.find(head("/", "PUT")), "rest");
});
