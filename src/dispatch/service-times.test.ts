import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { ServiceTimes } from "../http/exchange.ts";
import { estimateMs, learn, routePattern, ServiceTimesTable, UNKNOWN_MS } from "./service-times.ts";

function learned(...measurements: number[]): ServiceTimes {
  const times = { meanMs: -1, deviationMs: 0 };
  for (const ms of measurements) learn(times, ms);
  return times;
}

describe("the route of a path", () => {
  for (const [path, pattern] of [
    ["/", "/"],
    ["/books/17", "/books/*"],
    ["/books/17/edit", "/books/*/edit"],
    ["/u/550e8400-e29b-41d4-a716-446655440000", "/u/*"],
    ["/c/deadbeef", "/c/*"],
    ["/c/DEADBEEF01", "/c/*"],
    ["/c/cafe", "/c/cafe"],
    ["/v1/items", "/v1/items"],
    ["/2026/11/21/", "/*/*/*/"],
    ["/12px", "/12px"],
    ["//", "//"],
  ] as const) {
    test(`${path} is ${pattern}`, () => assert.equal(routePattern(path), pattern));
  }
});

describe("estimates", () => {
  test("a route never measured is one nobody waits behind", () => {
    assert.equal(estimateMs(learned()), UNKNOWN_MS);
    assert.equal(estimateMs(null), UNKNOWN_MS);
  });

  test("the first measurement is the mean, with a quarter as deviation", () => {
    assert.deepEqual(learned(8), { meanMs: 8, deviationMs: 2 });
    assert.equal(estimateMs(learned(8)), 12);
  });

  test("a steady route is known ever better", () => {
    const steady = learned(...Array<number>(200).fill(0.4));
    assert.ok(Math.abs(estimateMs(steady) - 0.4) < 0.01);
  });

  test("a route that is slow once in twenty times never looks fast", () => {
    const times = learned();
    for (let i = 0; i < 400; i++) {
      learn(times, i % 20 === 0 ? 50 : 0.1);
      if (i >= 1) assert.ok(estimateMs(times) > 1, `${estimateMs(times)} ms after ${i}`);
    }
  });
});

describe("the table", () => {
  test("has one record per route and method", () => {
    const table = new ServiceTimesTable();
    const one = table.of("GET", "/books/1");
    assert.equal(table.of("GET", "/books/2"), one);
    assert.notEqual(table.of("POST", "/books/1"), one);
    assert.equal(table.of("POST", "/books/1"), table.of("POST", "/books/77"));
    assert.notEqual(table.of("GET", "/books"), one);
  });

  test("takes any number of invented paths, and forgets rather than grows", () => {
    const table = new ServiceTimesTable();
    const first = table.of("GET", "/first");
    for (let i = 0; i < 20_000; i++) table.of("GET", `/x${i}y`);
    assert.notEqual(table.of("GET", "/first"), first);
    assert.deepEqual(table.of("GET", "/first"), { meanMs: -1, deviationMs: 0 });
  });
});
