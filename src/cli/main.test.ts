/** The program as a shell sees it, as far as it goes without a server: exit codes, and what is on stdout and stderr. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const program = fileURLToPath(new URL("main.ts", import.meta.url));

function run(
  args: readonly string[],
  nodeOptions: readonly string[] = [],
): { status: number | null; stdout: string; stderr: string } {
  const env = { PATH: process.env["PATH"] ?? "" };
  const done = spawnSync(process.execPath, [...nodeOptions, program, ...args], { encoding: "utf8", env });
  return { status: done.status, stdout: done.stdout, stderr: done.stderr };
}

test("--help goes to standard output and exits with 0", () => {
  const { status, stdout, stderr } = run(["--help"]);
  assert.equal(status, 0);
  assert.match(stdout, /^Usage: maitred /);
  assert.equal(stderr, "");
});

test("--version tells maitred's and Node's", () => {
  const { status, stdout } = run(["--version"]);
  assert.equal(status, 0);
  assert.match(stdout, /^maitred \d+\.\d+\.\d+ \(Node v\d+.*\)\n$/);
});

test("mistakes go to standard error, one a line, and exit with 2", () => {
  const { status, stdout, stderr } = run(["app.py", "-w", "zero"]);
  assert.equal(status, 2);
  assert.equal(stdout, "");
  assert.equal(
    stderr,
    "maitred: error: app.py is a file, not a module, did you mean app:app?\n" +
      "maitred: error: -w zero is not a whole number from 1 to 10000\n" +
      "see maitred --help\n",
  );
});

/** Reading one variable fails in a way nobody foresaw. */
const broken = [
  "--import",
  `data:text/javascript,${encodeURIComponent(
    `process.env = new Proxy(process.env, { get(env, name) {
      if (name === "GUNICORN_CMD_ARGS") throw new Error("boom at line 1\\nline 2");
      return env[name];
    } })`,
  )}`,
];

test("a bug of ours is one line without a stack trace and exits with 70", () => {
  const { status, stderr } = run(["app:app"], broken);
  assert.equal(status, 70);
  assert.equal(stderr, "maitred: internal error: boom at line 1, please report\n");
});

test("a bug of ours shows its stack to whoever asked for debug output", () => {
  const { status, stderr } = run(["app:app", "--log-level", "debug"], broken);
  assert.equal(status, 70);
  assert.match(stderr, /please report\nError: boom at line 1\n[^]* at /);
});

test("a current folder that is gone is told as such", () => {
  const { status, stderr } = run(["app:app"], ["--import", "data:text/javascript,process.cwd=()=>{throw new Error()}"]);
  assert.equal(status, 2);
  assert.match(stderr, /^maitred: error: the current folder no longer exists/);
});
