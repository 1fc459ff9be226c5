/** GUNICORN_CMD_ARGS splits as Python's shlex.split does; each expectation was made by running it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { shellWords } from "./shell-words.ts";

const cases: readonly (readonly [string, readonly string[]])[] = [
  ["", []],
  ["  ", []],
  ["--bind=0.0.0.0:80 --workers 3", ["--bind=0.0.0.0:80", "--workers", "3"]],
  ["  -w\t3\n -k sync ", ["-w", "3", "-k", "sync"]],
  [`--access-logformat '%(h)s "%(r)s"'`, ["--access-logformat", '%(h)s "%(r)s"']],
  [`--access-logformat "%(h)s \\"%(r)s\\" \\n"`, ["--access-logformat", '%(h)s "%(r)s" \\n']],
  [`a''b "" c\\ d`, ["ab", "", "c d"]],
  [`--env A='b c'd`, ["--env", "A=b cd"]],
  ["$PORT *.py", ["$PORT", "*.py"]],
];

for (const [text, words] of cases) {
  test(`splits ${JSON.stringify(text)}`, () => assert.deepEqual(shellWords(text), { type: "value", value: words }));
}

for (const text of ["'open", '"open', "end\\", '"open\\']) {
  test(`refuses ${JSON.stringify(text)}`, () => assert.equal(shellWords(text).type, "wrong"));
}
