import assert from "node:assert/strict";
import { test } from "node:test";
import { StallWatch } from "./stall-watch.ts";

test("a client that takes nothing for the whole time is stalled", () => {
  const watch = new StallWatch();
  assert.deepEqual(
    [0, 500, 1000, 1001].map((now) => watch.isStalled(true, 7, now, 1000)),
    [false, false, false, true],
  );
});

test("a client that takes anything at all, and one with nothing to take, is not", () => {
  const watch = new StallWatch();
  const looks = [
    [7, 0],
    [7, 900],
    [6, 1800],
    [6, 2700],
    [0, 3600],
    [0, 9000],
    [6, 9500],
    [6, 10_500],
  ] as const;
  for (const [unsent, now] of looks) assert.equal(watch.isStalled(unsent > 0, unsent, now, 1000), false);
});

test("without a limit nobody is stalled", () => {
  const watch = new StallWatch();
  assert.deepEqual(
    [0, 1e9].map((now) => watch.isStalled(true, 7, now, 0)),
    [false, false],
  );
});
