import assert from "node:assert/strict";
import { test } from "node:test";
import { sampleExchange } from "../http/exchange.test.ts";
import { mayTryAgain } from "./retry.ts";

const given = { state: "given", attempts: 1 } as const;

const table = [
  ["GET", given, true],
  ["HEAD", given, true],
  ["OPTIONS", given, true],
  ["POST", given, false],
  ["PUT", given, false],
  ["DELETE", given, false],
  ["PATCH", given, false],
  ["GET", { ...given, attempts: 2 }, false],
  ["GET", { ...given, state: "streaming" }, false],
  ["GET", { ...given, state: "done" }, false],
  ["GET", { ...given, body: null }, false],
] as const;

for (const [method, notes, verdict] of table) {
  test(`${method} ${JSON.stringify(notes)} ${verdict ? "is tried once more" : "is not tried again"}`, () => {
    assert.equal(mayTryAgain(Object.assign(sampleExchange("/", method), notes)), verdict);
  });
}
