import assert from "node:assert/strict";
import { test } from "node:test";
import { FileChoice } from "./file-choice.ts";

const choice = (given: Partial<ConstructorParameters<typeof FileChoice>[0]> = {}): FileChoice =>
  new FileChoice({ folders: ["/srv/site"], files: [], include: [], exclude: [], excludeFolders: [], ...given });

test("Python files below the folders count; hidden, installed and cached ones do not", () => {
  const plain = choice();
  for (const path of ["/srv/site/a.py", "/srv/site/b/c/d.py"]) assert.ok(plain.wantsFile(path), path);
  for (const path of [
    "/srv/a.py",
    "/srv/site/a.pyc",
    "/srv/site/a.html",
    "/srv/site/.#a.py",
    "/srv/site/.git/a.py",
    "/srv/site/__pycache__/a.py",
    "/srv/site/node_modules/x/a.py",
    "/srv/site/lib/site-packages/x/a.py",
  ])
    assert.ok(!plain.wantsFile(path), path);
});

test("an include adds, also what is left out by default; an exclude wins over all but single files", () => {
  const wide = choice({ include: [".env", "*.html"], exclude: ["test_*", "old"], excludeFolders: ["/srv/site/gen"] });
  for (const path of ["/srv/site/.env", "/srv/site/x/a.html"]) assert.ok(wide.wantsFile(path), path);
  for (const path of ["/srv/site/test_a.py", "/srv/site/test_a.html", "/srv/site/old/a.py", "/srv/site/gen/a.py"])
    assert.ok(!wide.wantsFile(path), path);
});

test("a hidden folder that was asked for is watched", () => {
  const hidden = choice({ folders: ["/srv/.site"] });
  assert.ok(hidden.wantsFile("/srv/.site/a.py"));
  assert.ok(hidden.wantsFolder("/srv/.site", []));
});

test("a virtual environment is known by its pyvenv.cfg", () => {
  assert.ok(!choice().wantsFolder("/srv/site/env", ["bin", "pyvenv.cfg"]));
  assert.ok(choice().wantsFolder("/srv/site/env", ["bin"]));
});

test("single files and patterns are watched wherever they are", () => {
  const extra = choice({ files: ["/etc/site.toml", "/etc/site.d/*.toml"] });
  assert.ok(extra.wantsFile("/etc/site.toml"));
  assert.ok(extra.wantsFile("/etc/site.d/a.toml"));
  assert.ok(!extra.wantsFile("/etc/other.toml"));
  assert.ok(!extra.wantsFile("/etc/site.d/a.py"));
  assert.deepEqual(extra.folders, ["/srv/site", "/etc/site.d"]);
  assert.equal(extra.list("/srv/site/a.py"), false);
  assert.equal(extra.list("/opt/lib/a.py"), true);
  assert.equal(extra.list("/opt/lib/a.py"), false);
  assert.ok(extra.wantsFile("/opt/lib/a.py"));
});
