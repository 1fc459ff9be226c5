/** From request paths to names below a folder: what is refused stays refused however it is written. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { filePath } from "./file-path.ts";

test("any path is a plain name below the folder, or none", () => {
  const piece = fc.oneof(
    fc.constantFrom(
      "..",
      ".",
      "%2e",
      "%2E",
      "%2f",
      "%5c",
      "\\",
      "/",
      "//",
      "%00",
      "%",
      "%c0%ae",
      "a",
      ".git",
      "%25",
      "%C3%A9",
      "\u00e9",
    ),
    fc.string({ maxLength: 3 }),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), fc.boolean(), (pieces, dotfiles) => {
      const found = filePath(`/${pieces.join("")}`, dotfiles);
      if (found.type !== "path") return;
      assert.doesNotMatch(found.path, /[\0-\x1f\x7f\\]/);
      if (found.path === "") return;
      for (const segment of found.path.split("/")) {
        assert.ok(segment !== "" && segment !== "." && segment !== "..");
        assert.ok(dotfiles || !segment.startsWith(".") || segment === ".well-known");
      }
    }),
    { numRuns: 2000 },
  );
});

for (const [raw, path, isFolder] of [
  ["", "", true],
  ["/", "", true],
  ["/a", "a", false],
  ["/a/", "a", true],
  ["a/b.txt", "a/b.txt", false],
  ["/%61%20b", "a b", false],
  ["/caf%C3%A9", "caf\u00e9", false],
  ["/caf\u00c3\u00a9", "caf\u00e9", false],
  ["/%E2%82%AC", "\u20ac", false],
  ["/a%2541", "a%41", false],
  ["/...", "...", false],
] as const)
  test(`${JSON.stringify(raw)} is ${JSON.stringify(path)}`, () =>
    assert.deepEqual(filePath(raw, true), { type: "path", path, isFolder }));

for (const raw of [
  "/..",
  "/../a",
  "/a/..",
  "/%2e%2E/a",
  "/a/./b",
  "//a",
  "/a//",
  "/a%2fb",
  "/a%5Cb",
  "/a\\b",
  "/%00",
  "/a%7f",
  "/%",
  "/%2",
  "/%zz",
  "/%c0%af",
  "/%ed%a0%80",
  "/%f8%88%80%80%80",
  "/\u00ff",
])
  test(`${JSON.stringify(raw)} names no file`, () => assert.equal(filePath(raw, true).type, "malformed"));

test("dotfiles are hidden, wherever the dot is, but for .well-known at the beginning", () => {
  for (const raw of ["/.env", "/.git/config", "/a/.b", "/a/.b/c", "/%2eenv", "/a/.well-known/x", "/.well-known/.x"])
    assert.equal(filePath(raw, false).type, "hidden", raw);
  assert.equal(filePath("/.well-known/acme-challenge/x", false).type, "path");
});
