/** Own pages for errors, between a scripted handler and a client. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import type { ErrorPagesPlan } from "../config/error-pages.ts";
import { answerError } from "../http/error-response.ts";
import { Exchange } from "../http/exchange.ts";
import { headOf, RecordingSink, SAMPLE_PEER } from "../http/exchange.test.ts";
import type { Handler } from "../http/handler.ts";
import { ownFields } from "../http/response-changes.ts";
import { ErrorPages, errorPages } from "./error-pages.ts";

const folder = mkdtempSync(join(tmpdir(), "maitred-pages-"));
after(() => rmSync(folder, { recursive: true }));
const file = (name: string, content: string): string => {
  writeFileSync(join(folder, name), content);
  return join(folder, name);
};
const PAGES: ErrorPagesPlan["pages"] = [
  { status: "404", files: [file("404.html", "<p>lost</p>")] },
  { status: "5xx", files: [file("50x.html", "<p>broken</p>"), file("50x.json", '{"broken":true}')] },
];

interface Seen {
  readonly events: readonly string[];
  readonly fields: readonly string[];
}

function ask(handler: Handler, lines = "", intercepts = false, told: string[] = []): Seen {
  const sink = new RecordingSink();
  const exchange = new Exchange(headOf(`GET / HTTP/1.1\r\nHost: h\r\n${lines}\r\n`), SAMPLE_PEER, sink, 0);
  const tell = (line: string): void => void told.push(line);
  const log = { debug: tell, info: tell, warning: tell, error: tell, critical: tell };
  const stage = errorPages(new ErrorPages({ pages: PAGES, intercepts }, log));
  stage((inner) => {
    inner.state = "given";
    handler(inner);
  })(exchange);
  return { events: sink.events, fields: exchange.responseFields?.flat ?? [] };
}

const HTML = "Accept: text/html,*/*;q=0.8\r\n";

describe("an error of maitred's own", () => {
  test("has the page of its status, or of its class, and keeps its other fields", () => {
    const lost = ask((exchange) => answerError(exchange, 404), HTML);
    assert.deepEqual(lost.events, ['complete / 404 "<p>lost</p>"']);
    const busy = ask((exchange) => answerError(exchange, 503, 7), HTML);
    assert.deepEqual(busy.events, ['complete / 503 "<p>broken</p>" retry-after 7']);
    assert.deepEqual(busy.fields.slice(0, 2), ["Content-Type", "text/html; charset=utf-8"]);
    assert.deepEqual(ask((exchange) => answerError(exchange, 403)).events, ['complete / 403 "403 Forbidden\\n"']);
  });

  test("has the page that the client accepts", () => {
    const json = ask((exchange) => answerError(exchange, 503), "Accept: application/json\r\n");
    assert.deepEqual(json.events, ['complete / 503 "{\\"broken\\":true}"']);
    const neither = ask((exchange) => answerError(exchange, 404), "Accept: application/json\r\n");
    assert.match(neither.events.join(), /"title.*Not Found/);
  });

  test("comes too late where the response has begun: that is cut", () => {
    const handler: Handler = (exchange) => {
      exchange.start(200, "", ownFields(["Content-Type", "text/html"]));
      exchange.write(Buffer.from("half"));
      exchange.cut();
    };
    assert.deepEqual(ask(handler, HTML).events, ["start / 200", "write / half", "cut /"]);
  });
});

describe("an error of the app", () => {
  const fields = ownFields([
    "Content-Type",
    "text/plain",
    "Content-Length",
    "3",
    "ETag",
    '"x"',
    "WWW-Authenticate",
    "Basic",
  ]);
  const whole: Handler = (exchange) => exchange.complete(500, "Oops", fields, "bad");

  test("is the app's, unless pages stand in for those as well", () => {
    assert.deepEqual(ask(whole, HTML).events, ['complete / 500 "bad"']);
    const seen = ask(whole, HTML, true);
    assert.deepEqual(seen.events, ['complete / 500 "<p>broken</p>"']);
    assert.deepEqual(seen.fields, ["Content-Type", "text/html; charset=utf-8", "WWW-Authenticate", "Basic"]);
  });

  test("that is streamed is replaced whole; the app's bytes are taken and dropped", () => {
    let taken = 0;
    const streamed: Handler = (exchange) => {
      exchange.onSent = (bytes) => (taken += bytes);
      exchange.start(502, "", fields);
      exchange.write(Buffer.from("abc"));
      exchange.end();
    };
    assert.deepEqual(ask(streamed, HTML, true).events, ['complete / 502 "<p>broken</p>"']);
    assert.equal(taken, 3);
    assert.deepEqual(ask(streamed, HTML).events, ["start / 502", "write / abc", "end /"]);
    const broken: Handler = (exchange) => {
      exchange.start(502, "", fields);
      exchange.cut();
    };
    assert.deepEqual(ask(broken, HTML, true).events, ['complete / 502 "<p>broken</p>"']);
  });

  test("without a page, and what is no error, is passed on", () => {
    const teapot: Handler = (exchange) => exchange.complete(418, "", fields, "bad");
    assert.deepEqual(ask(teapot, HTML, true).events, ['complete / 418 "bad"']);
    const fine: Handler = (exchange) => exchange.complete(200, "", ownFields([]), "ok");
    assert.deepEqual(ask(fine, HTML, true).events, ['complete / 200 "ok"']);
  });
});

test("a page that cannot be read is told, and the built-in one stands in", () => {
  const told: string[] = [];
  const tell = (line: string): void => void told.push(line);
  const log = { debug: tell, info: tell, warning: tell, error: tell, critical: tell };
  const plan = { pages: [{ status: "404", files: [join(folder, "missing.html")] }], intercepts: false };
  const sink = new RecordingSink();
  const exchange = new Exchange(headOf("GET / HTTP/1.1\r\nHost: h\r\n\r\n"), SAMPLE_PEER, sink, 0);
  errorPages(new ErrorPages(plan, log))((inner) => answerError(inner, 404))(exchange);
  assert.deepEqual(sink.events, ['complete / 404 "404 Not Found\\n"']);
  assert.match(told.join(), /Cannot read a page.*missing\.html/);
});
