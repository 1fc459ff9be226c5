/** The mistakes a new user makes at the start: each has its exit code and a sentence, and never a stack of ours. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

import { runMaitred, type Finished } from "../support/maitred.ts";
import { temporaryFolder, testApps } from "../support/places.ts";

const HERE = ["-b", "127.0.0.1:0", "--chdir", testApps];

const mistakes = [
  {
    name: "a module that does not exist",
    args: [...HERE, "no_such_module:app"],
    code: 3,
    says: [/no_such_module/, /not found|No module named/],
  },
  {
    name: "an attribute that does not exist",
    args: [...HERE, "wsgi_app:nothing"],
    code: 4,
    says: [/nothing/, /wsgi_app/],
  },
  { name: "an attribute that is not callable", args: [...HERE, "wsgi_app:GATES"], code: 4, says: [/callable/i] },
  {
    name: "an application that raises on import",
    args: [...HERE, "breaks_on_import:application"],
    code: 3,
    says: [
      /Traceback \(most recent call last\):/,
      /breaks_on_import\.py", line 8, in <module>/,
      /ValueError: the database has no name/,
    ],
  },
  {
    name: "an application that raises on import, preloaded",
    args: [...HERE, "--preload", "breaks_on_import:application"],
    code: 3,
    says: [/Traceback \(most recent call last\):/, /ValueError: the database has no name/],
  },
  {
    name: "an ASGI application whose start-up fails",
    args: [...HERE, "-k", "asgi", "breaks_in_lifespan:application"],
    code: 3,
    says: [/no kitchen without a cook/],
  },
  { name: "an unknown flag", args: [...HERE, "--wrokers", "2", "wsgi_app:application"], code: 2, says: [/--wrokers/] },
  {
    name: "a value that is not a number",
    args: [...HERE, "--workers", "two", "wsgi_app:application"],
    code: 2,
    says: [/workers/, /two/],
  },
  { name: "no application at all", args: ["-b", "127.0.0.1:0"], code: 2, says: [/MODULE/i] },
  {
    name: "a folder that does not exist",
    args: ["--chdir", "/no/such/folder", "-b", "127.0.0.1:0", "wsgi_app:application"],
    code: 2,
    says: [/\/no\/such\/folder/],
  },
  {
    name: "a Python that does not exist",
    args: [...HERE, "--python", "/no/such/python", "wsgi_app:application"],
    code: 2,
    says: [/\/no\/such\/python/],
  },
] as const;

for (const mistake of mistakes) {
  test(`${mistake.name} ends the start with ${mistake.code}`, async () => {
    const finished = await runMaitred(mistake.args);
    for (const pattern of mistake.says) assert.match(finished.stderr, pattern);
    assert.equal(finished.code, mistake.code, finished.stderr);
    noStackOfOurs(finished);
  });
}

test("a port in use ends the start with 1 and names the address", async () => {
  const other = createServer().listen(0, "127.0.0.1");
  await once(other, "listening");
  const { port } = other.address() as AddressInfo;
  try {
    const finished = await runMaitred(["-b", `127.0.0.1:${port}`, "--chdir", testApps, "wsgi_app:application"]);
    assert.equal(finished.code, 1, finished.stderr);
    assert.match(finished.stderr, new RegExp(`127\\.0\\.0\\.1.*${port}`));
    assert.match(finished.stderr, /in use/i);
    noStackOfOurs(finished);
  } finally {
    other.close();
  }
});

test("a syntax error in the application is shown where it is", async () => {
  const folder = temporaryFolder();
  mkdirSync(join(folder, "shop"));
  writeFileSync(join(folder, "shop/__init__.py"), "");
  writeFileSync(join(folder, "shop/wsgi.py"), "def application(environ, start_response)\n    return []\n");
  const finished = await runMaitred(["-b", "127.0.0.1:0", "--chdir", folder, "shop.wsgi:application"]);
  assert.equal(finished.code, 3, finished.stderr);
  assert.match(finished.stderr, /shop\/wsgi\.py", line 1/);
  assert.match(finished.stderr, /SyntaxError/);
  noStackOfOurs(finished);
});

function noStackOfOurs(finished: Finished): void {
  const lines = finished.stderr
    .split("\n")
    .filter((line) => /^\s+at .*(\.[jt]s|node:)/.test(line) || /node:internal|maitred\/worker/.test(line));
  assert.deepEqual(lines, [], finished.stderr);
}
