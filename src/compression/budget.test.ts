import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { FakeClock } from "../clock.test.ts";
import { CompressionBudget } from "./budget.ts";

function make(): { budget: CompressionBudget; clock: FakeClock; told: string[] } {
  const clock = new FakeClock();
  const told: string[] = [];
  const tell = (line: string): void => void told.push(line);
  const log = { debug: tell, info: tell, warning: tell, error: tell, critical: tell };
  return { budget: new CompressionBudget(clock, log), clock, told };
}

describe("time of the event loop", () => {
  test("is given until 60 % of it are used, and again later", () => {
    const { budget, clock } = make();
    const work = (): number => {
      clock.time += 10;
      return 1;
    };
    let done = 0;
    while (budget.here(work) !== null) done++;
    // 50 ms were saved up, and each 10 ms bring 6.
    assert.ok(done >= 10 && done <= 13, `${done} times`);
    assert.equal(budget.here(work), null);
    clock.time += 20;
    assert.equal(budget.here(work), 1);
  });

  test("is not saved up without end", () => {
    const { budget, clock } = make();
    clock.time += 1e9;
    const work = (): number => (clock.time += 200);
    assert.notEqual(budget.here(work), null);
    // 50 ms less 200, and 120 that came meanwhile.
    assert.equal(budget.here(work), null);
  });
});

describe("threads", () => {
  test("work for two at a time, the others in their order", () => {
    const { budget } = make();
    const begun: number[] = [];
    for (const number of [1, 2, 3, 4]) budget.onThread(() => begun.push(number));
    assert.deepEqual(begun, [1, 2]);
    budget.threadFree();
    assert.deepEqual(begun, [1, 2, 3]);
    budget.threadFree();
    budget.threadFree();
    budget.threadFree();
    budget.onThread(() => begun.push(5));
    assert.deepEqual(begun, [1, 2, 3, 4, 5]);
  });

  test("are not waited for by more than 64", () => {
    const { budget } = make();
    for (let count = 0; count < 66; count++) {
      assert.equal(budget.isCrowded, false);
      budget.onThread(() => {});
    }
    assert.equal(budget.isCrowded, true);
    assert.equal(budget.openStream(), false);
    budget.threadFree();
    assert.equal(budget.isCrowded, false);
    assert.equal(budget.openStream(), true);
  });
});

test("what was not compressed is told once in ten seconds", () => {
  const { budget, clock, told } = make();
  for (let count = 0; count < 5; count++) budget.refused();
  assert.equal(told.length, 1);
  clock.time += 10_000;
  budget.refused();
  assert.match(told[1]!, /Sent 5 responses uncompressed/);
});
