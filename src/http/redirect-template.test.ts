/** Where redirects lead, and where no client can make them lead. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { locationOf, parseTemplate, type Requested } from "./redirect-template.ts";

const asked: Requested = { path: "/a%20b", query: "q=1&r=%2F", host: "www.example.com:8443" };

function location(text: string, request: Partial<Requested> = {}): string | null {
  const template = parseTemplate(text);
  return "why" in template ? assert.fail(template.why) : locationOf(template, { ...asked, ...request });
}

const cases: readonly (readonly [template: string, request: Partial<Requested>, location: string | null])[] = [
  ["/new", {}, "/new"],
  ["https://example.com{path}{query}", {}, "https://example.com/a%20b?q=1&r=%2F"],
  ["https://example.com{path}{query}", { query: "" }, "https://example.com/a%20b"],
  ["https://{host}{path}", {}, "https://www.example.com/a%20b"],
  ["https://{host}:8443/", { host: "[::1]:80" }, "https://[::1]:8443/"],
  ["{path}/{query}", {}, "/a%20b/?q=1&r=%2F"],
  ["{query}", {}, "?q=1&r=%2F"],
  ["/{host}", {}, "/www.example.com"],
  ["https://example.com{path}", { path: "*" }, "https://example.com/"],
  // A client chooses its path and its host, not where it is sent.
  ["{path}", { path: "//evil.example" }, "/evil.example"],
  ["{path}", { path: "///evil.example" }, "/evil.example"],
  ["{path}", { path: "/\\evil.example" }, "/evil.example"],
  ["{path}/", { path: "/%5Cevil.example" }, "/evil.example/"],
  ["https://{host}/", { host: "evil.example/@" }, null],
  ["https://{host}/", { host: "a b" }, null],
  ["https://{host}/", { host: "" }, null],
  // Nor a field of the response, nor half a character.
  ["/x{query}", { query: "a\r\nSet-Cookie: b" }, "/x?a%0D%0ASet-Cookie:%20b"],
  ["{path}", { path: "/caf\u00e9" }, "/caf%E9"],
  ["{path}", { path: '/<"{}>' }, "/%3C%22%7B%7D%3E"],
];

for (const [template, request, expected] of cases) {
  test(`${template} for ${JSON.stringify(request)}: ${expected ?? "no host"}`, () => {
    assert.equal(location(template, request), expected);
  });
}

for (const text of [
  "",
  "new",
  "//evil.example",
  "/\\evil.example",
  "https://",
  "https:///x",
  "ftp://example.com",
  "javascript:alert(1)",
  "https://{path}",
  "https://{query}/",
  "/a b",
  "/caf\u00e9",
  "/{user}",
  "/{path",
  "/path}",
  "/a\r\nb",
]) {
  test(`${JSON.stringify(text)} is no target`, () => assert.ok("why" in parseTemplate(text)));
}
