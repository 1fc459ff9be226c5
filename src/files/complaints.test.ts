/** Warnings that do not flood the log. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Complaints } from "./complaints.ts";

test("of each kind one a second is told, with the number of those that were not", () => {
  const lines: string[] = [];
  const nothing = (): void => {};
  let now = 0;
  const clock = {
    now: () => now,
    wall: () => now,
    after: () => ({ cancel: nothing }),
    every: () => ({ cancel: nothing }),
  };
  const log = {
    debug: nothing,
    info: nothing,
    warning: (line: string) => void lines.push(line),
    error: nothing,
    critical: nothing,
  };
  const complaints = new Complaints(clock, log);
  for (let count = 0; count < 10; count++) complaints.tell(`a ${count}`, "answered 403");
  complaints.tell("b", "answered 500");
  now = 1500;
  complaints.tell("a 10", "answered 403");
  assert.deepEqual(lines, [
    "a 0 (answered 403)",
    "b (answered 500)",
    "a 10 (answered 403; and 9 more that were not logged)",
  ]);
});
