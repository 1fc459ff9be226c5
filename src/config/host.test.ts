/** The real host, in a folder made for the test: which Python is found, and what is said when none is. */
import assert from "node:assert/strict";
import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, beforeEach, test } from "node:test";
import { realHost } from "./host.ts";

const root = realpathSync(mkdtempSync(join(tmpdir(), "maitred-host-")));
after(() => rmSync(root, { recursive: true }));
beforeEach(() => {
  rmSync(root, { recursive: true, force: true });
  mkdirSync(root);
});

function program(path: string, mode: number = 0o755): string {
  const file = join(root, path);
  mkdirSync(join(file, ".."), { recursive: true });
  writeFileSync(file, "#!/bin/sh\n");
  chmodSync(file, mode);
  return file;
}

function find(explicit: string | null, env: Readonly<Record<string, string>> = {}, chdir: string = root): string {
  const found = realHost(root, { PATH: join(root, "bin"), ...env }).findPython(explicit, chdir);
  return "path" in found ? found.path : found.error;
}

test("the CPUs are counted, and the quota is a number or none", () => {
  const host = realHost("/", {});
  assert.ok(host.affinityCpus >= 1);
  assert.ok(host.cgroupQuotaCpus === null || host.cgroupQuotaCpus > 0);
});

test("python3 on PATH comes before python, and a virtual environment before both", () => {
  const python = program("bin/python");
  assert.equal(find(null), python);
  const python3 = program("bin/python3");
  assert.equal(find(null), python3);
  const venv = program("venv/bin/python");
  assert.equal(find(null), venv);
  const dotVenv = program(".venv/bin/python");
  assert.equal(find(null), dotVenv);
  const active = program("active/bin/python");
  assert.equal(find(null, { VIRTUAL_ENV: join(root, "active") }), active);
  const explicit = program("bin/python3.9");
  assert.equal(find("python3.9", { VIRTUAL_ENV: join(root, "active") }), explicit);
});

test("the virtual environment is looked for in the --chdir folder, not where maitred was started", () => {
  program(".venv/bin/python");
  const own = program("site/.venv/bin/python");
  assert.equal(find(null, {}, join(root, "site")), own);
});

test("a virtual environment's symbolic link stays one, or it would no longer be that environment", () => {
  const real = program("bin/python3");
  mkdirSync(join(root, ".venv/bin"), { recursive: true });
  symlinkSync(real, join(root, ".venv/bin/python"));
  assert.equal(find(null), join(root, ".venv/bin/python"));
});

test("--python takes a path, and the folder of a virtual environment", () => {
  const python = program("env/bin/python");
  assert.equal(find("./env/bin/python"), python);
  assert.equal(find(python), python);
  assert.equal(find("./env"), python);
});

test("what is wrong with a Python is told in the operator's terms", () => {
  program("plain", 0o644);
  mkdirSync(join(root, "empty"));
  assert.equal(find("./plain"), `--python ./plain may not be executed (${root}/plain)`);
  assert.equal(find("./gone"), `--python ./gone does not exist (${root}/gone)`);
  assert.equal(find("./empty"), "--python ./empty is a folder without bin/python");
  assert.equal(find("python9"), "--python python9 is not on PATH; for a file in this folder write --python ./python9");
  assert.match(find(null), /^no Python found: .* give --python PATH$/);
  assert.match(find(null, { VIRTUAL_ENV: "/gone" }), /^VIRTUAL_ENV=\/gone has no bin\/python/);
});

test("a path through a file is neither file nor folder, and no exception", () => {
  program("plain", 0o644);
  const host = realHost(root, {});
  assert.equal(host.isDirectory(join(root, "plain/x")), false);
  assert.equal(host.isFile(join(root, "plain/x")), false);
  assert.equal(host.isDirectory(root), true);
});
