import assert from "node:assert/strict";
import { test } from "node:test";
import { batchTimes } from "./batch-times.ts";

for (const [title, count, us, measured, times] of [
  ["one request took all of it", 1, 700, 9, [0.7]],
  ["a quick batch is shared alike", 4, 2000, 9, [0.5, 0.5, 0.5, 0.5]],
  ["a long one is owed to its last", 3, 20_500, 9, [0.5, 0.5, 19.5]],
  ["what the frame cannot say is what we measured", 1, 0xffffff, 30_000, [30_000]],
  ["an empty batch has no times", 0, 100, 9, []],
] as const) {
  test(title, () => assert.deepEqual(batchTimes(count, us, measured), times));
}
