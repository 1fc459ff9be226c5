import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { failureOf } from "./failure.ts";
import { maySendAgain } from "./send-again.ts";

const errorWith = (code: string): Error => Object.assign(new Error("what it says"), { code });

describe("a failure", () => {
  const CASES: readonly [string, number, boolean, RegExp][] = [
    ["ECONNREFUSED", 502, false, /refused/],
    ["ECONNRESET", 502, true, /reset/],
    ["EPIPE", 502, true, /closed/],
    ["UND_ERR_SOCKET", 502, true, /closed/],
    ["ENOENT", 502, false, /socket does not exist/],
    ["UND_ERR_CONNECT_TIMEOUT", 504, false, /connect-timeout/],
    ["UND_ERR_HEADERS_TIMEOUT", 504, false, /response-timeout/],
    ["UND_ERR_BODY_TIMEOUT", 504, false, /idle-timeout/],
    ["UND_ERR_HEADERS_OVERFLOW", 502, false, /max-head-size/],
    ["CERT_HAS_EXPIRED", 502, false, /what it says \(CERT_HAS_EXPIRED\)/],
  ];
  for (const [code, status, isLoss, reason] of CASES)
    test(`${code} is ${status}`, () => {
      const failure = failureOf(errorWith(code));
      assert.deepEqual([failure.status, failure.isLoss], [status, isLoss]);
      assert.match(failure.reason, reason);
    });

  test("of several addresses is that of the first", () => {
    assert.match(failureOf(new AggregateError([errorWith("ECONNREFUSED"), errorWith("ENOENT")])).reason, /refused/);
  });

  test("of the parser says what it stumbled over", () => {
    const error = Object.assign(new Error("Response does not match the HTTP/1.1 protocol (Invalid header token)"), {
      name: "HTTPParserError",
    });
    assert.match(failureOf(error).reason, /not HTTP\/1\.1: Invalid header token$/);
  });

  test("without a code is what the error says", () => {
    assert.equal(failureOf(new Error("odd")).reason, "odd");
  });

  test("to open the body's file is not the upstream's", () => {
    const failure = failureOf(Object.assign(errorWith("ENOENT"), { syscall: "open" }));
    assert.equal(failure.status, 500);
  });
});

test("a request is sent again where that can do no harm", () => {
  // method, sent, on a connection that had carried others
  assert.equal(maySendAgain("POST", false, false), true);
  assert.equal(maySendAgain("GET", true, true), true);
  assert.equal(maySendAgain("DELETE", true, true), true);
  assert.equal(maySendAgain("GET", true, false), false);
  assert.equal(maySendAgain("POST", true, true), false);
  assert.equal(maySendAgain("PATCH", true, true), false);
});
