import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { afterOne, isRefused, type Rate, remaining, retryMs, waitMs } from "./rate.ts";

const rates: fc.Arbitrary<Rate> = fc.record({
  intervalMs: fc.double({ min: 0.01, max: 100_000, noNaN: true }),
  burst: fc.integer({ min: 0, max: 50 }),
  delay: fc.constantFrom(0, 3, Infinity),
});
const gaps = fc.array(fc.double({ min: 0, max: 200_000, noNaN: true }), { minLength: 1, maxLength: 200 });

/** The times at which requests that come at `times` go on. */
function passing(rate: Rate, times: readonly number[]): number[] {
  let emptyAt = 0;
  const passed: number[] = [];
  for (const now of times) {
    if (isRefused(rate, emptyAt, now)) continue;
    passed.push(now + waitMs(rate, emptyAt, now));
    emptyAt = afterOne(rate, emptyAt, now);
  }
  return passed;
}

test("never more than the burst, one, and what the rate allows pass in any span of time", () => {
  fc.assert(
    fc.property(rates, gaps, (rate, between) => {
      let now = 0;
      const passed = passing(
        rate,
        between.map((gap) => (now += gap)),
      );
      for (let from = 0; from < passed.length; from++) {
        for (let to = from; to < passed.length; to++) {
          const most = rate.burst + 1 + (passed[to]! - passed[from]!) / rate.intervalMs;
          assert.ok(to - from + 1 <= most + 0.01, `${to - from + 1} passed, at most ${most} may`);
        }
      }
    }),
  );
});

test("who waits goes on at the rate, and in order", () => {
  fc.assert(
    fc.property(rates, gaps, (given, between) => {
      const rate = { ...given, delay: 0 };
      let now = 0;
      const passed = passing(
        rate,
        between.map((gap) => (now += gap)),
      );
      for (let i = 1; i < passed.length; i++)
        assert.ok(passed[i]! - passed[i - 1]! >= rate.intervalMs * 0.99, "two at the rate are that far apart");
    }),
  );
});

test("who comes exactly at the rate is never refused", () => {
  const starts = fc.integer({ min: 0, max: 100_000_000 });
  fc.assert(
    fc.property(fc.double({ min: 0.5, max: 100_000, noNaN: true }), starts, (intervalMs, start) => {
      const times = Array.from({ length: 100 }, (_, at) => start + at * intervalMs);
      assert.equal(passing({ intervalMs, burst: 0, delay: 0 }, times).length, 100);
    }),
  );
});

test("a refusal ends when it says it does", () => {
  fc.assert(
    fc.property(rates, (rate) => {
      let emptyAt = 0;
      while (!isRefused(rate, emptyAt, 1000)) emptyAt = afterOne(rate, emptyAt, 1000);
      const later = 1000 + retryMs(rate, emptyAt, 1000);
      assert.ok(later > 1000);
      assert.equal(isRefused(rate, emptyAt, later * (1 + 1e-9)), false);
      assert.equal(remaining(rate, emptyAt, 1000), 0);
    }),
  );
});

test("burst and delay are nginx's: of a burst of 5 with a delay of 2 the first and two pass, three wait, the rest is refused", () => {
  const rate: Rate = { intervalMs: 100, burst: 5, delay: 2 };
  assert.deepEqual(
    passing(
      rate,
      Array.from({ length: 9 }, () => 1000),
    ),
    [1000, 1000, 1000, 1100, 1200, 1300],
  );
});
