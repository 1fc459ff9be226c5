/** Whatever stands on the command line and in the environment, readPlan answers and never throws. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { foreignFlags } from "./foreign-flags.ts";
import type { HostFacts } from "./host-facts.ts";
import { readPlan } from "./read-plan.ts";
import { settings } from "./settings/table.ts";

const house: HostFacts = {
  cwd: "/srv/site",
  pid: 4711,
  platform: "linux",
  affinityCpus: 4,
  cgroupQuotaCpus: 0.5,
  findPython: () => ({ path: "/usr/bin/python3" }),
  isDirectory: (path) => path.length % 2 === 0,
  isFile: (path) => path.length % 3 === 0,
  trouble: () => null,
  textOf: () => null,
};

const flags = [
  ...settings.flatMap((row) => [...row.flags, ...row.offFlags]),
  ...foreignFlags.flatMap((row) => row.flags),
];
const names = [
  ...settings.flatMap((row) => row.env),
  ...foreignFlags.flatMap((row) => row.env),
  "GUNICORN_CMD_ARGS",
  "PORT",
];
const texts = fc.oneof(
  fc.string(),
  fc.constantFrom(
    "app:app",
    "app.py",
    "8",
    "0",
    "-1",
    "-",
    "--",
    ":80",
    "unix:@x",
    "[::]:1",
    "A=1",
    "on",
    "sync",
    "1.5h",
    "%",
  ),
);
const words = fc.oneof(
  texts,
  fc.constantFrom(...flags),
  fc.tuple(fc.constantFrom(...flags), texts).map(([flag, text]) => `${flag}=${text}`),
);

test("every command line and environment has an answer", () => {
  fc.assert(
    fc.property(
      fc.array(words, { maxLength: 8 }),
      fc.dictionary(fc.constantFrom(...names), texts, { maxKeys: 4 }),
      (argv, env) => {
        const result = readPlan(argv, env, house);
        if (result.type === "mistakes") {
          assert.ok(result.mistakes.length > 0);
          assert.equal(new Set(result.mistakes).size, result.mistakes.length, "a mistake told twice");
        } else if (result.type === "plan") {
          assert.ok(result.plan.workers >= 1 && result.plan.threads >= 1 && result.plan.binds.length >= 1);
          assert.ok(result.plan.chdir.startsWith("/") && result.plan.queueTimeoutMs > 0);
        }
      },
    ),
    { numRuns: 2000 },
  );
});

test("a setting given on the command line hides every other source of it", () => {
  const workers = fc.integer({ min: 1, max: 99 });
  fc.assert(
    fc.property(workers, workers, workers, workers, (line, args, uvicorn, platform) => {
      const env = {
        GUNICORN_CMD_ARGS: `-w ${args}`,
        UVICORN_WORKERS: String(uvicorn),
        WEB_CONCURRENCY: String(platform),
      };
      const result = readPlan([`-w${line}`, "app:app"], env, { ...house, isDirectory: () => true });
      assert.equal(result.type === "plan" ? result.plan.workers : 0, line);
    }),
  );
});
