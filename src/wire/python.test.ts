/** A real CPython for the tests of this room: the other side of the wire, asked once per process. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";

/** `repr(marshal.loads(x))` of each. */
export function loadedByPython(payloads: readonly Buffer[]): string[] {
  return ask(
    "lambda line: ascii(marshal.loads(bytes.fromhex(line)))",
    payloads.map((payload) => payload.toString("hex")),
  );
}

/** `marshal.dumps(x, 4)` of each expression; or another version, 2 being the last without references. */
export function dumpedByPython(expressions: readonly string[], version: 2 | 4 = 4): Buffer[] {
  return ask(`lambda line: marshal.dumps(eval(line), ${version}).hex()`, expressions).map((hex) =>
    Buffer.from(hex, "hex"),
  );
}

function ask(answer: string, lines: readonly string[]): string[] {
  const program = `import sys, marshal\nanswer = ${answer}\nfor line in sys.stdin: print(answer(line.strip()))`;
  const run = spawnSync("python3", ["-c", program], { input: lines.join("\n"), encoding: "utf8", maxBuffer: 1 << 28 });
  assert.equal(run.status, 0, run.stderr);
  const answers = run.stdout.split("\n").slice(0, -1);
  assert.equal(answers.length, lines.length);
  return answers;
}

test("python3 answers", () => {
  assert.deepEqual(loadedByPython([Buffer.from("4e", "hex")]), ["None"]);
  assert.deepEqual(dumpedByPython(["None"]), [Buffer.from("4e", "hex")]);
});
