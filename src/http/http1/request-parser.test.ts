import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import type { HeaderBlock } from "../header-block.ts";
import { headerName } from "../header-names.ts";
import type { RequestHead } from "../request-head.ts";
import { DEFAULT_HEAD_LIMITS, type HeadLimits } from "./head-limits.ts";
import { REQUEST_CASES, eventsOf, verdictOf } from "./request-cases.test.ts";
import type { ProtocolError } from "./request-parser.ts";
import { RequestParser } from "./request-parser.ts";

const bytes = (text: string): Buffer => Buffer.from(text, "latin1");

/** Parses complete requests and returns their heads. */
function headsOf(...texts: string[]): RequestHead[] {
  const heads: RequestHead[] = [];
  const parser = new RequestParser(DEFAULT_HEAD_LIMITS, {
    onHead: (head) => heads.push(head),
    onBody: () => {},
    onEnd: () => parser.next(),
    onError: (error) => assert.fail(error.code),
  });
  for (const text of texts) parser.push(bytes(text));
  return heads;
}

const headOf = (text: string): RequestHead => headsOf(text)[0]!;

describe("verdicts", () => {
  for (const { title, bytes, verdict } of REQUEST_CASES) test(title, () => assert.equal(verdictOf(bytes), verdict));
});

describe("the split of the bytes changes nothing", () => {
  test("each case of the table, in one piece, in single bytes, and cut in two anywhere", () => {
    for (const { title, bytes: text } of REQUEST_CASES) {
      const whole = bytes(text);
      const expected = eventsOf([whole]);
      assert.deepEqual(eventsOf([...text].map(bytes)), expected, title);
      if (whole.length > 400) continue;
      for (let cut = 1; cut < whole.length; cut++)
        assert.deepEqual(eventsOf([whole.subarray(0, cut), whole.subarray(cut)]), expected, title);
    }
  });

  const someCase = fc.constantFrom(...REQUEST_CASES.map((each) => each.bytes).filter((each) => each.length < 1000));

  /** Some requests after each other, with a few bytes overwritten, inserted or removed. */
  const mutated = fc
    .tuple(
      fc.array(someCase, { minLength: 1, maxLength: 4 }).map((texts) => texts.join("")),
      fc.array(
        fc.tuple(fc.nat(), fc.constantFrom("set", "insert", "remove"), fc.constantFrom(..."\0\t\r\n :;,09aZ_\x7f\xff")),
        { maxLength: 4 },
      ),
    )
    .map(([text, edits]) =>
      edits.reduce((all, [at, kind, char]) => {
        const i = at % (all.length + 1);
        return all.slice(0, i) + (kind === "remove" ? "" : char) + all.slice(kind === "insert" ? i : i + 1);
      }, text),
    );

  function pieces(whole: Buffer, cuts: readonly number[]): Buffer[] {
    const at = [0, ...cuts.map((cut) => cut % (whole.length + 1)).sort((a, b) => a - b), whole.length];
    return at.slice(1).map((end, i) => whole.subarray(at[i], end));
  }

  test("mutated requests in a row, cut anywhere", () => {
    fc.assert(
      fc.property(mutated, fc.array(fc.nat(), { maxLength: 8 }), (text, cuts) => {
        assert.deepEqual(eventsOf(pieces(bytes(text), cuts)), eventsOf([bytes(text)]));
      }),
      { numRuns: 3000 },
    );
  });

  test("small limits are met at the same byte", () => {
    const limits: HeadLimits = { requestLine: 20, fields: 2, fieldSize: 24, headBytes: 70, underscores: "refuse" };
    fc.assert(
      fc.property(mutated, fc.array(fc.nat(), { maxLength: 8 }), (text, cuts) => {
        assert.deepEqual(eventsOf(pieces(bytes(text), cuts), limits), eventsOf([bytes(text)], limits));
      }),
      { numRuns: 2000 },
    );
  });

  test("random bytes never throw", () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 60 }), { maxLength: 5 }), (chunks) => {
        eventsOf(chunks.map((chunk) => Buffer.from(chunk)));
      }),
      { numRuns: 2000 },
    );
  });
});

describe("a request's head", () => {
  test("tells path and query apart and keeps the target", () => {
    const head = headOf("GET /a%20b?c=d?e HTTP/1.1\r\nHost: a\r\n\r\n");
    assert.deepEqual([head.target, head.path, head.query, head.version], ["/a%20b?c=d?e", "/a%20b", "c=d?e", "1.1"]);
  });

  test("the authority of an absolute target replaces Host (RFC 9112 section 3.2.2)", () => {
    const head = headOf("GET http://example.com:81?x HTTP/1.1\r\nX: 1\r\nHost: other\r\n\r\n");
    assert.deepEqual([head.target, head.path, head.query], ["http://example.com:81?x", "/", "x"]);
    assert.deepEqual(head.headers.values, ["1", "example.com:81"]);
    assert.equal(headOf("GET http://a/ HTTP/1.0\r\nX: 1\r\n\r\n").headers.get("host"), "a");
    assert.equal(headOf("OPTIONS http://a HTTP/1.1\r\nHost: a\r\n\r\n").path, "*");
  });

  test("the connection persists as RFC 9112 section 9.3 says", () => {
    const persists = (minor: number, fields: string): boolean =>
      headOf(`GET / HTTP/1.${minor}\r\nHost: a\r\n${fields}\r\n`).keepAlive;
    assert.equal(persists(1, ""), true);
    assert.equal(persists(1, "Connection: Close\r\n"), false);
    assert.equal(persists(1, "Connection: keep-alive, close\r\n"), false);
    assert.equal(persists(1, "Connection: Upgrade\r\n"), true);
    assert.equal(persists(1, "Connection: x\r\nConnection: close\r\n"), false);
    assert.equal(persists(0, ""), false);
    assert.equal(persists(0, "Connection: Keep-Alive\r\n"), true);
    assert.equal(persists(0, "Connection: x, keep-alive\r\n"), true);
    assert.equal(persists(0, "Connection: keep-alive, close\r\n"), false);
  });

  test("100-continue is expected only in HTTP/1.1 and only before a body", () => {
    const expects = (minor: number, length: number): boolean =>
      headOf(`PUT / HTTP/1.${minor}\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: ${length}\r\n\r\n`)
        .expectsContinue;
    assert.deepEqual([expects(1, 1), expects(1, 0), expects(0, 1)], [true, false, false]);
  });

  test("duplicates are found whatever the case of their letters, and beyond ASCII is told", () => {
    const block = (fields: string): HeaderBlock => headOf(`GET / HTTP/1.1\r\nHost: a\r\n${fields}\r\n`).headers;
    assert.equal(block("X-A: 1\r\nX-B: 2\r\n").hasDuplicates, false);
    assert.equal(block("X-A: 1\r\nx-a: 2\r\n").hasDuplicates, true);
    assert.equal(block("X-A: 1\r\n").isAscii, true);
    assert.equal(block("X-A: \xe9\r\n").isAscii, false);
  });

  test("a field with an underscore is dropped or refused, as configured", () => {
    const head = headOf("POST / HTTP/1.1\r\nHost: a\r\nContent_Length: 5\r\nX: y\r\n\r\n");
    assert.deepEqual([head.framing, head.headers.names.map((name) => name.raw)], ["none", ["Host", "X"]]);
    const strict: HeadLimits = { ...DEFAULT_HEAD_LIMITS, underscores: "refuse" };
    assert.equal(verdictOf("GET / HTTP/1.1\r\nHost: a\r\nX_Y: z\r\n\r\n", strict), "400 MAITRED_UNDERSCORE_IN_NAME");
  });

  test("limit 0 means the codec's ceiling", () => {
    const open: HeadLimits = { requestLine: 0, fields: 0, fieldSize: 0, headBytes: 0, underscores: "drop" };
    assert.equal(
      verdictOf(`GET /${"a".repeat(100_000)} HTTP/1.1\r\nHost: a\r\n${"X: y\r\n".repeat(5000)}\r\n`, open),
      "ok",
    );
    assert.equal(verdictOf("a".repeat(1024 * 1024 + 1), open), "414 MAITRED_REQUEST_LINE_TOO_LONG");
  });
});

describe("the memo", () => {
  const first = "GET /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx";

  test("an equal section gives the same object, another one its own", () => {
    const other = "GET /1 HTTP/1.1\r\nHost: b\r\n\r\n";
    const [a, b, c, d, e] = headsOf(first, first, first.replace("/1", "/2"), other, first);
    assert.equal(a!.headers, b!.headers);
    assert.equal(a!.headers, c!.headers);
    assert.equal(c!.path, "/2");
    assert.deepEqual([d!.headers.get("host"), d!.framing, d!.contentLength], ["b", "none", 0]);
    assert.deepEqual([e!.headers.get("host"), e!.framing, e!.contentLength], ["a", "length", 1]);
  });

  test("the same section means something else under another version or authority", () => {
    const section = "Host: a\r\n\r\n";
    const lines = [
      "GET / HTTP/1.1",
      "GET / HTTP/1.0",
      "GET http://b/ HTTP/1.0",
      "GET http://c/ HTTP/1.0",
      "GET / HTTP/1.0",
      "GET / HTTP/1.1",
    ];
    const heads = headsOf(...lines.map((line) => `${line}\r\n${section}`));
    assert.deepEqual(
      heads.map((head) => `${head.keepAlive} ${head.headers.get("host")}`),
      ["true a", "false a", "false b", "false c", "false a", "true a"],
    );
  });

  test("any sequence of requests on one connection gives what each gives alone", () => {
    const lines = fc.constantFrom("GET /a HTTP/1.1", "GET /b HTTP/1.1", "GET /a HTTP/1.0", "GET http://x/a HTTP/1.1");
    const sections = fc.constantFrom(
      "Host: a\r\n",
      "Host: b\r\n",
      "host: a\r\nX: 1\r\nx: 2\r\n",
      "Host: a\r\nConnection: close\r\n",
    );
    const requests = fc.array(
      fc.tuple(lines, sections).map(([line, section]) => `${line}\r\n${section}\r\n`),
      { maxLength: 12 },
    );
    fc.assert(
      fc.property(requests, (texts) => {
        assert.deepEqual(
          eventsOf(texts.map(bytes)),
          texts.flatMap((text) => eventsOf([bytes(text)])),
        );
      }),
    );
  });
});

describe("the machine", () => {
  const get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

  function record(): { events: string[]; parser: RequestParser; react: { on: (event: string) => void } } {
    const events: string[] = [];
    const react: { on: (event: string) => void } = { on: () => {} };
    const tell = (event: string): void => {
      events.push(event);
      react.on(event);
    };
    const parser = new RequestParser(DEFAULT_HEAD_LIMITS, {
      onHead: (head) => tell(`head ${head.path}`),
      onBody: (chunk) => tell(`body ${chunk.toString("latin1")}`),
      onEnd: () => tell("end"),
      onError: (error) => tell(error.code),
    });
    return { events, parser, react };
  }

  test("a following request waits for next()", () => {
    const { events, parser } = record();
    parser.push(bytes(get + "GET /2 HT"));
    assert.deepEqual(events, ["head /", "end"]);
    assert.equal(parser.buffered, 9);
    assert.equal(parser.isIdle, false);
    parser.push(bytes("TP/1.1\r\nHost: a\r\n\r\n"));
    assert.equal(events.length, 2);
    parser.next();
    assert.deepEqual(events.slice(2), ["head /2", "end"]);
    assert.equal(parser.isIdle, true);
    parser.next();
    parser.next();
    parser.push(bytes(get + get));
    assert.equal(events.length, 6, "next() while idle is not remembered");
  });

  test("next() from onHead, before the end of the body, is remembered", () => {
    for (const length of [0, 2]) {
      const { events, parser, react } = record();
      react.on = (event) => {
        if (event.startsWith("head")) parser.next();
      };
      const post = `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${length}\r\n\r\n${"x".repeat(length)}`;
      parser.push(bytes(post + post));
      assert.equal(events.filter((event) => event === "end").length, 2);
    }
  });

  test("10,000 pipelined requests do not deepen the stack", () => {
    const { events, parser, react } = record();
    let depth = 0;
    react.on = (event) => {
      if (event !== "end") return;
      assert.equal(++depth, 1);
      parser.next();
      depth--;
    };
    parser.push(bytes(get.repeat(10_000)));
    assert.equal(events.length, 20_000);
    const late = record();
    late.parser.push(bytes(get.repeat(10_000)));
    for (let i = 1; i <= 10_000; i++) {
      assert.equal(late.events.length, i * 2);
      late.parser.next();
    }
    assert.equal(late.parser.isIdle, true);
  });

  test("bytes pushed from a handler come after those already there", () => {
    const { events, parser, react } = record();
    react.on = (event) => {
      if (event === "head /") parser.push(bytes("GET /3 HTTP/1.1\r\nHost: a\r\n\r\n"));
      if (event === "end") parser.next();
    };
    parser.push(bytes(get + get.replace("/", "/2")));
    assert.deepEqual(events, ["head /", "end", "head /2", "end", "head /3", "end"]);
  });

  test("body chunks are views of the bytes pushed", () => {
    const chunk = bytes("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n");
    const bodies: Buffer[] = [];
    const parser = new RequestParser(DEFAULT_HEAD_LIMITS, {
      onHead() {},
      onBody: (body) => bodies.push(body),
      onEnd() {},
      onError() {},
    });
    parser.push(chunk);
    assert.equal(bodies[0]!.buffer, chunk.buffer);
    assert.equal(bodies[0]!.toString(), "hello");
    assert.equal(parser.isIdle, false, "more of it is to come");
  });

  test("after an error everything is ignored", () => {
    const { events, parser } = record();
    parser.push(bytes("GET / HTTP/3.0\r\n\r\n" + get));
    parser.push(bytes(get));
    parser.next();
    assert.deepEqual(events, ["MAITRED_UNSUPPORTED_VERSION"]);
    assert.deepEqual([parser.buffered, parser.isIdle], [0, false]);
  });

  test("detach gives back what was not parsed, for another protocol", () => {
    const { events, parser, react } = record();
    parser.push(bytes(get + "frames"));
    parser.push(bytes(" and more"));
    assert.equal(parser.detach().toString(), "frames and more");
    parser.push(bytes(get));
    assert.deepEqual(events, ["head /", "end"]);
    parser.reset();
    react.on = (event) => {
      if (event === "head /") assert.equal(parser.detach().toString(), "rest");
    };
    parser.push(bytes(get + "rest"));
    assert.deepEqual(events.slice(2), ["head /"], "a handler that detaches hears no more");
  });

  test("a handler that throws leaves the parser usable", () => {
    const { events, parser, react } = record();
    react.on = () => {
      react.on = () => {};
      throw new Error("bug");
    };
    assert.throws(() => parser.push(bytes(get)));
    parser.push(bytes(get));
    parser.next();
    assert.deepEqual(events, ["head /", "end", "head /", "end"]);
  });

  test("a head that trickles in costs no more than its size", () => {
    const { events, parser } = record();
    const head = bytes(`GET / HTTP/1.1\r\nHost: a\r\n${`X: ${"y".repeat(8000)}\r\n`.repeat(7)}\r\n`);
    for (let i = 0; i < head.length; i++) parser.push(head.subarray(i, i + 1));
    assert.deepEqual(events, ["head /", "end"]);
  });

  test("the detail of a TLS handshake says so", () => {
    let error: ProtocolError | null = null;
    const parser = new RequestParser(DEFAULT_HEAD_LIMITS, {
      onHead() {},
      onBody() {},
      onEnd() {},
      onError: (each) => (error = each),
    });
    parser.push(bytes("\x16\x03"));
    assert.match((error as ProtocolError | null)!.detail, /TLS/);
  });
});

test("with the table of names full, framing and duplicates are found as before", () => {
  for (let i = 0; i < 3000; i++) headerName(`X-Full-${i}`);
  const head = headOf("POST / HTTP/1.1\r\nHOst: a\r\nconTENT-lenGTH: 3\r\nX-Never: 1\r\nx-NEVER: 2\r\n\r\nabc");
  assert.deepEqual([head.contentLength, head.headers.hasDuplicates], [3, true]);
  assert.equal(
    headOf("GET / HTTP/1.1\r\nHOst: a\r\nX-Never: 1\r\nX-Never-Too: 2\r\n\r\n").headers.hasDuplicates,
    false,
  );
  assert.equal(verdictOf("GET / HTTP/1.1\r\nHOst: a\r\nhosT: a\r\n\r\n"), "400 MAITRED_DOUBLE_HOST");
});
