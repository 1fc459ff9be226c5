import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { errorBody, errorFormat } from "./error-body.ts";
import { answerError } from "./error-response.ts";
import { Exchange } from "./exchange.ts";
import { headOf, RecordingSink, SAMPLE_PEER } from "./exchange.test.ts";

describe("the form of an error", () => {
  for (const [accept, format] of [
    [undefined, "text/plain"],
    ["", "text/plain"],
    ["*/*", "text/plain"],
    ["text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8", "text/html"],
    ["application/json", "application/json"],
    ["application/json, text/plain, */*", "text/plain"],
    ["application/problem+json, application/json", "application/problem+json"],
    ["application/problem+json;q=0.5, application/json", "application/json"],
    ["image/*", "text/plain"],
    ["nonsense", "text/plain"],
  ] as const)
    test(`for ${JSON.stringify(accept)} is ${format}`, () => assert.equal(errorFormat(accept), format));
});

describe("the body of an error", () => {
  test("is text, a page, or problem details", () => {
    assert.equal(errorBody("text/plain", 404, "Not Found", ""), "404 Not Found\n");
    assert.equal(errorBody("text/plain", 404, "Not Found", "abc"), "404 Not Found\nRequest abc\n");
    assert.deepEqual(JSON.parse(errorBody("application/problem+json", 503, "Service Unavailable", "abc")), {
      type: "about:blank",
      title: "Service Unavailable",
      status: 503,
      detail: "The server cannot answer just now. Please try again in a moment.",
      requestId: "abc",
    });
    assert.deepEqual(JSON.parse(errorBody("application/json", 418, "I'm a Teapot", "")), {
      type: "about:blank",
      title: "I'm a Teapot",
      status: 418,
    });
    const page = errorBody("text/html", 418, "I'm a Teapot", "<script>\u00e9");
    assert.match(page, /^<!doctype html>/);
    assert.match(page, /<h1>418 I&#39;m a Teapot<\/h1>/);
    assert.match(page, /<code>&#60;script&#62;\?<\/code>/);
  });

  test("goes to an exchange with its type and Retry-After", () => {
    const answered = (lines: string): string => {
      const sink = new RecordingSink();
      const exchange = new Exchange(headOf(`GET / HTTP/1.1\r\nHost: h\r\n${lines}\r\n`), SAMPLE_PEER, sink, 0);
      exchange.requestId = "r-1";
      answerError(exchange, 503, 2.2);
      assert.equal(exchange.isOwnError, true);
      return `${exchange.responseFields?.flat.join(" ")} ${sink.events.join()}`;
    };
    assert.match(answered(""), /^Content-Type text\/plain; charset=utf-8 Cache-Control no-store Retry-After 3 /);
    assert.match(answered("Accept: text/html\r\n"), /^Content-Type text\/html.*Retry-After 3.*r-1/);
    assert.match(answered("Accept: application/json\r\n"), /^Content-Type application\/json.*r-1/);
  });
});
