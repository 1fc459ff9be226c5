/** The grammar of command lines: a table of lines and what they say. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { parseArgv } from "./argv.ts";

const takesValue = new Map([
  ["-w", true],
  ["--workers", true],
  ["-b", true],
  ["--bind", true],
  ["--access-logfile", true],
  ["--access-logformat", true],
  ["--preload", false],
  ["-D", false],
  ["-v", false],
]);

const lines: readonly (readonly [string, string, string])[] = [
  // line, what was given, positionals
  ["app:app", "", "app:app"],
  ["-w4 app:app", "-w=4", "app:app"],
  ["-w 4 app:app", "-w=4", "app:app"],
  ["-w=4 app:app", "-w=4", "app:app"],
  ["--workers 4 app:app", "--workers=4", "app:app"],
  ["--workers=4 app:app", "--workers=4", "app:app"],
  ["app:app --workers 4", "--workers=4", "app:app"],
  ["--preload app:app -w 2", "--preload -w=2", "app:app"],
  ["-b :80 -b :81 app:app", "-b=:80 -b=:81", "app:app"],
  ["-bunix:/a=b app:app", "-b=unix:/a=b", "app:app"],
  ["--bind=unix:/a=b app:app", "--bind=unix:/a=b", "app:app"],
  ["--access-logfile - app:app", "--access-logfile=-", "app:app"],
  ["--workers -1 app:app", "--workers=-1", "app:app"],
  ["--access-logformat -x- app:app", "--access-logformat=-x-", "app:app"],
  ["--workers= app:app", "--workers=", "app:app"],
  ["-w 2 -- app:app -w 4", "-w=2", "app:app -w 4"],
  ["-- -strange", "", "-strange"],
  ["app:app -", "", "app:app -"],
];

for (const [line, given, positionals] of lines) {
  test(`understands: ${line}`, () => {
    const parsed = parseArgv(line.split(" "), takesValue);
    assert.deepEqual(parsed.mistakes, []);
    assert.equal(parsed.given.map(({ flag, text }) => (text === null ? flag : `${flag}=${text}`)).join(" "), given);
    assert.equal(parsed.positionals.join(" "), positionals);
  });
}

const mistaken: readonly (readonly [string, string])[] = [
  ["app:app --wrokers 4", "unknown option --wrokers, did you mean --workers?"],
  ["app:app --worker 4", "unknown option --worker, did you mean --workers?"],
  ["app:app --work=4", "unknown option --work, did you mean --workers?"],
  ["app:app --completely-else", "unknown option --completely-else"],
  ["app:app -x", "unknown option -x"],
  ["app:app --workers", "--workers needs a value"],
  ["app:app -w", "-w needs a value"],
  ["--workers --bind :80 app:app", "--workers needs a value, but --bind follows it"],
  ["--workers -b:80 app:app", "--workers needs a value, but -b:80 follows it"],
  ["--preload=yes app:app", '--preload is a switch and takes no value, but "yes" was given'],
  ["--workers -- app:app", "--workers needs a value, but -- follows it"],
];

for (const [line, mistake] of mistaken) {
  test(`answers: ${line}`, () => {
    const parsed = parseArgv(line.split(" "), takesValue);
    assert.deepEqual(parsed.mistakes, [mistake]);
    assert.deepEqual(
      parsed.positionals,
      ["app:app"],
      "a mistake in an option must not look like one in the application",
    );
  });
}

test("every mistake of a line is told", () => {
  assert.equal(parseArgv(["--foo1", "--bar2", "--workers"], takesValue).mistakes.length, 3);
});

test("a flag that may stand alone takes the next word only where it is one of its values", () => {
  const alone = new Map([["--mode", { text: "auto", takes: (word: string) => ["on", "off"].includes(word) }]]);
  const read = (...argv: string[]): unknown => parseArgv(argv, new Map([["--mode", true]]), alone);
  const mode = (text: string, ...positionals: string[]): unknown => ({
    given: [{ flag: "--mode", text }],
    positionals,
    mistakes: [],
  });
  assert.deepEqual(read("--mode", "app:app"), mode("auto", "app:app"));
  assert.deepEqual(read("--mode", "off", "app:app"), mode("off", "app:app"));
  assert.deepEqual(read("app:app", "--mode"), mode("auto", "app:app"));
  assert.deepEqual(read("--mode=on"), mode("on"));
});
