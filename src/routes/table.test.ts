/** Which pattern takes which path. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { parsePattern, type PathPattern } from "../http/path-pattern.ts";
import { RouteTable } from "./table.ts";

function pattern(text: string): PathPattern {
  const parsed = parsePattern(text);
  return "why" in parsed ? assert.fail(parsed.why) : parsed;
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
    assert.equal(table(...patterns).find(path), found);
    assert.equal(table(...patterns.toReversed()).find(path), found, "in any order");
  });
}

for (const text of ["reports", "", "/a?b", "/a b", "/a$b", "/a/**", "/a*b*", "/%41"]) {
  test(`"${text}" is no pattern`, () => assert.ok("why" in parsePattern(text)));
}

test("a hostile path costs no more than its length", () => {
  const routes = table("/a*b/a*b/a*c$");
  const begun = performance.now();
  assert.equal(routes.find(`/${"ab".repeat(3000)}/${"ab".repeat(3000)}/${"ab".repeat(3000)}`), "rest");
  assert.ok(performance.now() - begun < 1000);
});
