import assert from "node:assert/strict";
import { test } from "node:test";
import { fixedFolder, glob } from "./glob.ts";

const CASES: readonly (readonly [pattern: string, matches: readonly string[], others: readonly string[]])[] = [
  ["*.py", ["/a/b.py", "b.py"], ["/a/b.pyc", "/a/b.py/c", "/a/bpy"]],
  [".*", ["/a/.env", "/.x"], ["/a/env", "/.a/b"]],
  [".py[cod]", ["/a/.pyc"], ["/a/b.pyc"]],
  ["[!a]b", ["/x/cb"], ["/x/ab", "/x//b"]],
  ["[a-c]?", ["/b1"], ["/d1", "/b", "/b12"]],
  ["templates/*.html", ["/srv/templates/a.html"], ["/srv/templates/a/b.html", "/srv/xtemplates/a.html"]],
  ["templates/**/*.html", ["/srv/templates/a.html", "/srv/templates/a/b/c.html"], ["/srv/a.html"]],
  ["/srv/*.yml", ["/srv/a.yml"], ["/srv/x/a.yml", "/x/srv/a.yml"]],
  ["/srv/**", ["/srv/a", "/srv/a/b"], ["/a"]],
  ["a+b(c).txt", ["/x/a+b(c).txt"], ["/x/aab(c).txt"]],
  ["~*", ["/x/~a"], ["/x/a~"]],
  ["[]", ["/x/[]"], ["/x/a"]],
];

for (const [pattern, matches, others] of CASES) {
  test(`${pattern} matches ${matches.join(", ")} and not ${others.join(", ")}`, () => {
    for (const path of matches) assert.ok(glob(pattern)(path), path);
    for (const path of others) assert.ok(!glob(pattern)(path), path);
  });
}

test("the folder above the first wildcard", () => {
  assert.equal(fixedFolder("/srv/a*/b"), "/srv");
  assert.equal(fixedFolder("/srv/a/*.yml"), "/srv/a");
  assert.equal(fixedFolder("/*.yml"), "/");
});
