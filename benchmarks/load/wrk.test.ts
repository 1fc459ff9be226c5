import assert from "node:assert/strict";
import { test } from "node:test";
import { readWrk } from "./wrk.ts";

test("wrk's report is read, its failures included", () => {
  const report = `  Latency Distribution
     50%  840.00us
     99%    1.50s
  12001 requests in 1.50m, 1.41MB read
  Socket errors: connect 0, read 3, write 0, timeout 1
  Non-2xx or 3xx responses: 7
`;
  assert.deepEqual(readWrk(report), {
    requests: 12001,
    seconds: 90,
    p50Ms: 0.84,
    p99Ms: 1500,
    faults: ["7 x status that is not 2xx or 3xx", "3 x socket error: read", "1 x socket error: timeout"],
  });
});
