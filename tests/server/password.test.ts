/** `maitred password`: what it prints lets in. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { suite, test } from "node:test";

import { hashProblem } from "../../src/config/password-text.ts";
import { matchesHash } from "../../src/stages/passwords/password-hash.ts";
import { repository } from "../support/places.ts";

const COMMAND = `${repository}/bin/maitred`;

interface Said {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function run(program: string, args: readonly string[], input: string): Promise<Said> {
  const child = spawn(program, args, { stdio: ["pipe", "pipe", "pipe"], timeout: 30_000 });
  const text = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const)
    child[name].setEncoding("utf8").on("data", (data: string) => (text[name] += data));
  child.stdin.end(input);
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => resolve({ code, ...text }));
  });
}

/** Types two lines on a terminal of its own, each when it is asked for, and prints what came back. */
const TYPIST = `
import os, pty, sys
pid, terminal = pty.fork()
if pid == 0:
    os.execv(sys.argv[1], [sys.argv[1], "password"])
seen = b""
for prompt, line in ((b"Password: ", sys.argv[2]), (b"Again: ", sys.argv[3])):
    while prompt not in seen:
        seen += os.read(terminal, 4096)
    os.write(terminal, line.encode() + b"\\r")
try:
    while True:
        more = os.read(terminal, 4096)
        if not more:
            break
        seen += more
except OSError:
    pass
sys.stdout.write(seen.decode())
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
`;

suite("maitred password", () => {
  test("prints the hash of what comes through a pipe; with a name, a line of a file of users", async () => {
    const bare = await run(COMMAND, ["password"], "pässwörd\nmore\n");
    assert.equal(bare.code, 0, bare.stderr);
    const hash = bare.stdout.trim();
    assert.equal(hashProblem(hash), null);
    assert.equal(matchesHash("pässwörd", hash), true);
    assert.match(
      (await run(COMMAND, ["password", "alice"], "x\n")).stdout,
      /^alice:\$scrypt\$ln=15,r=8,p=3\$[^\n]+\n$/,
    );
  });

  test("asks twice on a terminal, and shows nothing of what is typed", async () => {
    const typed = await run("python3", ["-c", TYPIST, COMMAND, "open sesame", "open sesame"], "");
    assert.equal(typed.code, 0, typed.stdout);
    assert.doesNotMatch(typed.stdout, /sesame/);
    const hash = /\$scrypt\S+/.exec(typed.stdout)?.[0] ?? "";
    assert.equal(matchesHash("open sesame", hash), true);
    const differing = await run("python3", ["-c", TYPIST, COMMAND, "one", "other"], "");
    assert.equal(differing.code, 1);
    assert.match(differing.stdout, /the two are not the same/);
  });

  test("mistakes are told, and a password on the command line is one", async () => {
    assert.equal((await run(COMMAND, ["password"], "")).code, 1);
    assert.equal((await run(COMMAND, ["password"], "\n")).code, 1);
    const { code, stderr } = await run(COMMAND, ["password", "alice", "secret"], "");
    assert.equal(code, 2);
    assert.match(stderr, /one name too many: a password on the command line would be seen by everyone/);
    assert.match((await run(COMMAND, ["password", "--help"], "")).stdout, /^Usage: maitred password/);
  });
});
