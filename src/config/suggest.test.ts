/** A suggestion is made when the word is near, and not otherwise. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { nearest } from "./suggest.ts";
import { settings } from "./settings/table.ts";

const flags = settings.flatMap((setting) => [...setting.flags, ...setting.offFlags]);

const cases: readonly (readonly [string, string | null])[] = [
  ["--worker", "--workers"],
  ["--wrokers", "--workers"],
  ["--thread", "--threads"],
  ["--access-log-file", "--access-logfile"],
  ["--access-log-format", "--access-logformat"],
  ["--pid-file", "--pid"],
  ["--keepalive", "--keep-alive"],
  ["--log_level", "--log-level"],
  ["--error-log", "--error-logfile"],
  ["--limit-request-field", "--limit-request-fields"],
  ["--no-access-logs", "--no-access-log"],
  ["--frobnicate", null],
  ["-x", null],
];

for (const [word, flag] of cases)
  test(`${word} suggests ${flag ?? "nothing"}`, () => assert.equal(nearest(word, flags), flag));
