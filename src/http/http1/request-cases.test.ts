/**
 * Requests by RFC section, each with the verdict it deserves, and the recorder that gives a parser's verdict as data.
 * The other tests of this folder run over the same table.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { RequestHead } from "../request-head.ts";
import { DEFAULT_HEAD_LIMITS, type HeadLimits } from "./head-limits.ts";
import { RequestParser } from "./request-parser.ts";

export interface RequestCase {
  readonly title: string;
  readonly bytes: string;
  /** "ok", or status and code of the refusal. */
  readonly verdict: string;
}

/** A parser's events as plain data; neighbouring pieces of a body are joined. */
export function eventsOf(pieces: readonly Buffer[], limits: HeadLimits = DEFAULT_HEAD_LIMITS): readonly string[] {
  const events: string[] = [];
  let body = "";
  const flush = (): void => {
    if (body !== "") events.push(`body ${body}`);
    body = "";
  };
  const parser = new RequestParser(limits, {
    onHead: (head) => events.push(`head ${describeHead(head)}`),
    onBody: (chunk) => (body += chunk.toString("latin1")),
    onEnd: () => {
      flush();
      events.push("end");
      parser.next();
    },
    onError: (error) => {
      flush();
      events.push(`error ${error.status} ${error.code}`);
    },
  });
  for (const piece of pieces) parser.push(piece);
  flush();
  return events;
}

export function describeHead(head: RequestHead): string {
  const { headers, ...rest } = head;
  const fields = headers.names.map((name, i) => [name.raw, headers.values[i]]);
  return JSON.stringify({ ...rest, fields, isAscii: headers.isAscii, hasDuplicates: headers.hasDuplicates });
}

/** What the table's verdict column says of the bytes. */
export function verdictOf(bytes: string, limits?: HeadLimits): string {
  const events = eventsOf([Buffer.from(bytes, "latin1")], limits);
  const last = events.at(-1) ?? "nothing";
  return last.startsWith("error ") ? last.slice("error ".length) : last === "end" ? "ok" : "incomplete";
}

const HOST = "Host: example.org\r\n";
const line = (text: string): string => `${text}\r\n${HOST}\r\n`;
const fields = (text: string): string => `POST / HTTP/1.1\r\n${HOST}${text}\r\n`;
const host = (value: string): string => `GET / HTTP/1.1\r\nHost:${value}\r\n\r\n`;
const chunks = (text: string): string => `POST / HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n${text}`;

const TABLE: Readonly<Record<string, readonly (readonly [bytes: string, verdict: string])[]>> = {
  "RFC 9112 2.2, empty lines before a request": [
    ["\r\n" + line("GET / HTTP/1.1"), "ok"],
    ["\r\n\r\n" + line("GET / HTTP/1.1"), "ok"],
    ["\r\n\r\n\r\n" + line("GET / HTTP/1.1"), "400 MAITRED_EMPTY_LINES"],
    ["\n" + line("GET / HTTP/1.1"), "400 MAITRED_BARE_LF"],
    ["\rG" + line("ET / HTTP/1.1"), "400 MAITRED_BARE_CR"],
    [" " + line("GET / HTTP/1.1"), "400 MAITRED_BAD_REQUEST_LINE"],
  ],
  "RFC 9112 2.2, lines end in CRLF": [
    [`GET / HTTP/1.1\n${HOST}\r\n`, "400 MAITRED_BARE_LF"],
    ["GET / HTTP/1.1\nHost: a\n\n", "400 MAITRED_BARE_LF"],
    ["GET / HTTP/1.1\r\nHost: a\n\r\n", "400 MAITRED_BARE_LF"],
    ["GET / HTTP/1.1\r\nHost: a\r\n\n", "400 MAITRED_BARE_LF"],
    ["GET / HTTP/1.1\r\nHost: a\rX: b\r\n\r\n", "400 MAITRED_BARE_CR"],
    ["GET / HTTP/1.1\r\nHost: a\r\r\n\r\n", "400 MAITRED_BARE_CR"],
    ["GET / HTTP/1.1\rHost: a\r\n\r\n", "400 MAITRED_BARE_CR"],
    ["GET / HTTP/1.1\r\nHost: a\r\nX: b\nContent-Length: 5\r\n\r\n", "400 MAITRED_BARE_LF"],
  ],
  "RFC 9112 2.3, version": [
    ["GET / HTTP/1.0\r\n\r\n", "ok"],
    [line("GET / HTTP/1.1"), "ok"],
    [line("GET / HTTP/1.2"), "505 MAITRED_UNSUPPORTED_VERSION"],
    [line("GET / HTTP/2.0"), "505 MAITRED_UNSUPPORTED_VERSION"],
    [line("GET / HTTP/0.9"), "505 MAITRED_UNSUPPORTED_VERSION"],
    ["PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "505 MAITRED_UNSUPPORTED_VERSION"],
    [line("GET / HTTP/1.1 "), "400 MAITRED_BAD_VERSION"],
    [line("GET / http/1.1"), "400 MAITRED_BAD_VERSION"],
    [line("GET / HTTP/11"), "400 MAITRED_BAD_VERSION"],
    [line("GET / HTTP/1.10"), "400 MAITRED_BAD_VERSION"],
    [line("GET / HTTP/1,1"), "400 MAITRED_BAD_VERSION"],
    [line("GET / HTTPS/1.1"), "400 MAITRED_BAD_VERSION"],
    [line("GET / "), "400 MAITRED_BAD_VERSION"],
    [line("GET /"), "400 MAITRED_BAD_REQUEST_LINE"],
  ],
  "RFC 9112 3, request line": [
    [line("GET  / HTTP/1.1"), "400 MAITRED_BAD_REQUEST_LINE"],
    [line("GET /  HTTP/1.1"), "400 MAITRED_BAD_VERSION"],
    [line("GET\t/ HTTP/1.1"), "400 MAITRED_BAD_REQUEST_LINE"],
    [line("GET /\tHTTP/1.1"), "400 MAITRED_BAD_REQUEST_LINE"],
    [line("GET /a b HTTP/1.1"), "400 MAITRED_BAD_VERSION"],
    [line("GET"), "400 MAITRED_BAD_REQUEST_LINE"],
    [line("/ HTTP/1.1"), "400 MAITRED_BAD_REQUEST_LINE"],
    ["\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", "400 MAITRED_TLS_ON_PLAIN_PORT"],
  ],
  "RFC 9112 3.1, method": [
    [line("get / HTTP/1.1"), "400 MAITRED_BAD_METHOD"],
    [line("Get / HTTP/1.1"), "400 MAITRED_BAD_METHOD"],
    [line("G(T / HTTP/1.1"), "400 MAITRED_BAD_METHOD"],
    [line("GET\0 / HTTP/1.1"), "400 MAITRED_BAD_METHOD"],
    [line("FOO / HTTP/1.1"), "501 MAITRED_UNKNOWN_METHOD"],
    [line("PRI / HTTP/1.1"), "501 MAITRED_UNKNOWN_METHOD"],
    [line("CONNECT example.org:443 HTTP/1.1"), "501 MAITRED_CONNECT"],
    ...["PUT", "DELETE", "PATCH", "HEAD", "M-SEARCH", "PURGE", "QUERY", "SOURCE", "NOTIFY"].map(
      (method) => [line(`${method} / HTTP/1.1`), "ok"] as const,
    ),
  ],
  "RFC 9112 3.2, target": [
    [line("GET /a/b?c=d&e HTTP/1.1"), "ok"],
    [line('GET /a|b{c}"d HTTP/1.1'), "ok"],
    [line("GET /%zz HTTP/1.1"), "ok"],
    [line("GET //evil HTTP/1.1"), "ok"],
    [line("GET ?a HTTP/1.1"), "400 MAITRED_BAD_TARGET_FORM"],
    [line("GET a HTTP/1.1"), "400 MAITRED_BAD_TARGET_FORM"],
    [line("GET /a#b HTTP/1.1"), "400 MAITRED_BAD_TARGET"],
    [line("GET /\0 HTTP/1.1"), "400 MAITRED_BAD_TARGET"],
    [line("GET /\x7f HTTP/1.1"), "400 MAITRED_BAD_TARGET"],
    [line("GET /\xe9 HTTP/1.1"), "400 MAITRED_BAD_TARGET"],
    [line("GET /a\tb HTTP/1.1"), "400 MAITRED_BAD_TARGET"],
    [line("GET /a\x0bb HTTP/1.1"), "400 MAITRED_BAD_TARGET"],
    [line("GET http://example.com/a?b HTTP/1.1"), "ok"],
    [line("GET HTTPS://example.com:8443 HTTP/1.1"), "ok"],
    [line("GET http://[::1]:80?a HTTP/1.1"), "ok"],
    ["GET http://example.com/ HTTP/1.1\r\n\r\n", "400 MAITRED_MISSING_HOST"],
    ["GET http://example.com/ HTTP/1.0\r\n\r\n", "ok"],
    [line("GET ftp://example.com/ HTTP/1.1"), "400 MAITRED_BAD_TARGET_FORM"],
    [line("GET http:/a HTTP/1.1"), "400 MAITRED_BAD_TARGET_FORM"],
    [line("GET http:///a HTTP/1.1"), "400 MAITRED_BAD_AUTHORITY"],
    [line("GET http://user@example.com/ HTTP/1.1"), "400 MAITRED_BAD_AUTHORITY"],
    [line("OPTIONS * HTTP/1.1"), "ok"],
    [line("OPTIONS http://example.com HTTP/1.1"), "ok"],
    [line("GET * HTTP/1.1"), "400 MAITRED_BAD_TARGET_FORM"],
    [line("OPTIONS ** HTTP/1.1"), "400 MAITRED_BAD_TARGET_FORM"],
    [line("GET example.org:80 HTTP/1.1"), "400 MAITRED_BAD_TARGET_FORM"],
  ],
  "RFC 9112 3.2 and RFC 3986 3.2.2, Host": [
    [host("example.org:8080"), "ok"],
    [host(" EXAMPLE.org:"), "ok"],
    [host(" a_b.example"), "ok"],
    [host(" a%20b"), "ok"],
    [host(" 127.0.0.1:80"), "ok"],
    [host(" [2001:db8::1]:80"), "ok"],
    [host(" [v1.a:b]"), "ok"],
    [host(""), "ok"],
    [host("  "), "ok"],
    ["GET / HTTP/1.1\r\n\r\n", "400 MAITRED_MISSING_HOST"],
    ["GET / HTTP/1.1\r\nX_Host: a\r\nHo_st: b\r\n\r\n", "400 MAITRED_MISSING_HOST"],
    [host(" a\r\nHost: a"), "400 MAITRED_DOUBLE_HOST"],
    [host(" a\r\nhOST: b"), "400 MAITRED_DOUBLE_HOST"],
    [host("\r\nHost:"), "400 MAITRED_DOUBLE_HOST"],
    ...[
      "a b",
      "a/b",
      "a?b",
      "a#b",
      "a@b",
      "a\\b",
      "a:b",
      "a:80:80",
      ":80",
      "a:123456",
      "[::1",
      "::1",
      "[]",
      "[g]",
      "a%2",
      "a<b",
      "a\x80b",
    ].map((value) => [host(value), "400 MAITRED_BAD_HOST"] as const),
    [host(" a\0"), "400 MAITRED_CONTROL_CHARACTER"],
  ],
  "RFC 9112 5, field lines": [
    [fields("X:a\r\nY:\t b \t\r\nZ:\r\nW: a:b\r\n"), "ok"],
    [fields("!#$%&'*+-.^`|~09Az: token\r\n"), "ok"],
    [fields("X: \x80\xff\r\n"), "ok"],
    [fields("X: a\tb\r\n"), "ok"],
    [fields("X_Y: dropped\r\n"), "ok"],
    [fields("X : a\r\n"), "400 MAITRED_SPACE_BEFORE_COLON"],
    [fields("X\t: a\r\n"), "400 MAITRED_SPACE_BEFORE_COLON"],
    [fields("X Y: a\r\n"), "400 MAITRED_BAD_FIELD_NAME"],
    [fields("X(Y): a\r\n"), "400 MAITRED_BAD_FIELD_NAME"],
    [fields("X\xe9: a\r\n"), "400 MAITRED_BAD_FIELD_NAME"],
    [fields('"X": a\r\n'), "400 MAITRED_BAD_FIELD_NAME"],
    [fields(": a\r\n"), "400 MAITRED_EMPTY_FIELD_NAME"],
    [fields("X\r\n"), "400 MAITRED_MISSING_COLON"],
    [fields("X\r\nY: a\r\n"), "400 MAITRED_MISSING_COLON"],
    [fields("X: a\0b\r\n"), "400 MAITRED_CONTROL_CHARACTER"],
    [fields("X: a\x01\r\n"), "400 MAITRED_CONTROL_CHARACTER"],
    [fields("X: a\x0b\r\n"), "400 MAITRED_CONTROL_CHARACTER"],
    [fields("X: a\x1f\r\n"), "400 MAITRED_CONTROL_CHARACTER"],
    [fields("X: a\x7f\r\n"), "400 MAITRED_CONTROL_CHARACTER"],
    [fields("X\0: a\r\n"), "400 MAITRED_BAD_FIELD_NAME"],
  ],
  "RFC 9112 5.2, folding and white space in front": [
    [fields("X: a\r\n b\r\n"), "400 MAITRED_FOLDED_FIELD"],
    [fields("X: a\r\n\tb: c\r\n"), "400 MAITRED_FOLDED_FIELD"],
    [fields("X: a\r\n \r\n"), "400 MAITRED_FOLDED_FIELD"],
    [`GET / HTTP/1.1\r\n ${HOST}\r\n`, "400 MAITRED_FOLDED_FIELD"],
    [`GET / HTTP/1.1\r\n\t${HOST}\r\n`, "400 MAITRED_FOLDED_FIELD"],
  ],
  "RFC 9112 6.1, Transfer-Encoding": [
    [chunks("0\r\n\r\n"), "ok"],
    [fields("Transfer-Encoding:CHUNKED \r\n") + "0\r\n\r\n", "ok"],
    [fields("Transfer-Encoding:\tchunked\r\n") + "0\r\n\r\n", "400 MAITRED_BAD_TRANSFER_ENCODING"],
    [fields("Transfer-Encoding: chunked\t\r\n") + "0\r\n\r\n", "400 MAITRED_BAD_TRANSFER_ENCODING"],
    [fields("Transfer-Encoding: gzip, chunked\r\n"), "501 MAITRED_UNKNOWN_TRANSFER_CODING"],
    [fields("Transfer-Encoding: identity\r\n"), "501 MAITRED_UNKNOWN_TRANSFER_CODING"],
    [fields("Transfer-Encoding: xchunked\r\n"), "501 MAITRED_UNKNOWN_TRANSFER_CODING"],
    [fields("Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n"), "501 MAITRED_UNKNOWN_TRANSFER_CODING"],
    [fields("Transfer-Encoding: chunked, gzip\r\n"), "400 MAITRED_BAD_TRANSFER_ENCODING"],
    [fields("Transfer-Encoding: chunked, chunked\r\n"), "400 MAITRED_BAD_TRANSFER_ENCODING"],
    [fields("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"), "400 MAITRED_BAD_TRANSFER_ENCODING"],
    [fields("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n"), "400 MAITRED_BAD_TRANSFER_ENCODING"],
    [fields("Transfer-Encoding: chunked,\r\n"), "400 MAITRED_BAD_TRANSFER_ENCODING"],
    [fields("Transfer-Encoding: ,chunked\r\n"), "400 MAITRED_BAD_TRANSFER_ENCODING"],
    [fields("Transfer-Encoding:\r\n"), "400 MAITRED_BAD_TRANSFER_ENCODING"],
    [fields("Transfer-Encoding: chunked;a=b\r\n"), "400 MAITRED_BAD_TRANSFER_ENCODING"],
    [fields('Transfer-Encoding: "chunked"\r\n'), "400 MAITRED_BAD_TRANSFER_ENCODING"],
    [fields("Transfer-Encoding: chunked\xa0\r\n"), "400 MAITRED_BAD_TRANSFER_ENCODING"],
    [fields("Transfer-Encoding: \x0bchunked\r\n"), "400 MAITRED_CONTROL_CHARACTER"],
    [fields("Transfer-Encoding : chunked\r\n"), "400 MAITRED_SPACE_BEFORE_COLON"],
    [fields("Transfer_Encoding: chunked\r\n"), "ok"],
    ["POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "400 MAITRED_CODING_IN_HTTP_1_0"],
  ],
  "RFC 9112 6.2 and 6.3, Content-Length": [
    [fields("Content-Length: 5\r\n") + "hello", "ok"],
    [fields("Content-Length: 005\r\n") + "hello", "ok"],
    [fields("Content-Length: 0\r\n"), "ok"],
    [fields("Content_Length: 5\r\n"), "ok"],
    [fields("Content-Length: 9007199254740991\r\n"), "incomplete"],
    ...[
      "",
      "+5",
      "-5",
      "0x5",
      "5, 5",
      "5,6",
      "5 5",
      "5;",
      "1e3",
      "5.0",
      "5_0",
      "\xb2",
      "9007199254740992",
      "18446744073709551616",
    ].map((value) => [fields(`Content-Length: ${value}\r\n`), "400 MAITRED_BAD_CONTENT_LENGTH"] as const),
    [fields("Content-Length: 5\r\nContent-Length: 5\r\n"), "400 MAITRED_DOUBLE_CONTENT_LENGTH"],
    [fields("Content-Length: 5\r\ncontent-length: 6\r\n"), "400 MAITRED_DOUBLE_CONTENT_LENGTH"],
    [fields("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"), "400 MAITRED_LENGTH_AND_CODING"],
    [fields("Transfer-Encoding: chunked\r\nContent-Length: 0\r\n"), "400 MAITRED_LENGTH_AND_CODING"],
    [fields("Transfer-Encoding: identity\r\nContent-Length: 5\r\n"), "400 MAITRED_LENGTH_AND_CODING"],
  ],
  "RFC 9112 7.1, chunks": [
    [chunks("5\r\nhello\r\n0\r\n\r\n"), "ok"],
    [chunks("A\r\n0123456789\r\na\r\n0123456789\r\n000\r\n\r\n"), "ok"],
    [chunks("1fffffffffffff\r\n"), "incomplete"],
    ...[
      "",
      "x",
      "0x5",
      "+5",
      "-5",
      " 5",
      "5 ",
      "5\t",
      "5_0",
      "5,",
      "5.",
      "20000000000000",
      "ffffffffffffffff",
      "00000000000000005",
      "\r",
    ].map((size) => [chunks(`${size}\r\nhello\r\n0\r\n\r\n`), "400 MAITRED_BAD_CHUNK_SIZE"] as const),
    [chunks("5\nhello\r\n0\r\n\r\n"), "400 MAITRED_BAD_CHUNK_LINE_END"],
    [chunks("5\rhello\r\n0\r\n\r\n"), "400 MAITRED_BAD_CHUNK_LINE_END"],
    [chunks("5\r\r\nhello\r\n0\r\n\r\n"), "400 MAITRED_BAD_CHUNK_LINE_END"],
    [chunks("5\r\nhello0\r\n\r\n"), "400 MAITRED_UNTERMINATED_CHUNK"],
    [chunks("5\r\nhello\n0\r\n\r\n"), "400 MAITRED_UNTERMINATED_CHUNK"],
    [chunks("5\r\nhello\r0\r\n\r\n"), "400 MAITRED_UNTERMINATED_CHUNK"],
    [chunks("4\r\nhello\r\n0\r\n\r\n"), "400 MAITRED_UNTERMINATED_CHUNK"],
    [chunks("0\r\n\n"), "400 MAITRED_BARE_LF"],
    [chunks("0\n\r\n"), "400 MAITRED_BAD_CHUNK_LINE_END"],
  ],
  "RFC 9112 7.1.1, chunk extensions": [
    [chunks('5;a\r\nhello\r\n0;b=c;d="e;\\"\\\\ \t\xe9"\r\n\r\n'), "ok"],
    [chunks("5;\r\nhello\r\n0\r\n\r\n"), "400 MAITRED_BAD_CHUNK_EXTENSION"],
    [chunks("5;;a\r\nhello\r\n0\r\n\r\n"), "400 MAITRED_BAD_CHUNK_EXTENSION"],
    [chunks("5;a=\r\nhello\r\n0\r\n\r\n"), "400 MAITRED_BAD_CHUNK_EXTENSION"],
    [chunks("5;=a\r\nhello\r\n0\r\n\r\n"), "400 MAITRED_BAD_CHUNK_EXTENSION"],
    [chunks('5;a="b\r\nhello\r\n0\r\n\r\n'), "400 MAITRED_BAD_CHUNK_EXTENSION"],
    [chunks('5;a="b"c\r\nhello\r\n0\r\n\r\n'), "400 MAITRED_BAD_CHUNK_EXTENSION"],
    [chunks("5; a\r\nhello\r\n0\r\n\r\n"), "400 MAITRED_BAD_CHUNK_EXTENSION"],
    [chunks("5;a b\r\nhello\r\n0\r\n\r\n"), "400 MAITRED_BAD_CHUNK_EXTENSION"],
    [chunks("5;a\x7f\r\nhello\r\n0\r\n\r\n"), "400 MAITRED_BAD_CHUNK_EXTENSION"],
    [chunks("5;a\nhello\r\n0\r\n\r\n"), "400 MAITRED_BAD_CHUNK_LINE_END"],
    [chunks("5;a\rX\r\nhello\r\n0\r\n\r\n"), "400 MAITRED_BAD_CHUNK_LINE_END"],
    [chunks(`5;${"a".repeat(17_000)}\r\nhello\r\n0\r\n\r\n`), "413 MAITRED_CHUNK_EXTENSIONS_TOO_LONG"],
    [chunks(`1;${"a".repeat(99)}\r\nx\r\n`.repeat(200) + "0\r\n\r\n"), "413 MAITRED_CHUNK_EXTENSIONS_TOO_LONG"],
  ],
  "RFC 9112 7.1.2, trailer section": [
    [chunks("0\r\nX: a\r\nY: b\r\n\r\n"), "ok"],
    [chunks("0\r\nX : a\r\n\r\n"), "400 MAITRED_SPACE_BEFORE_COLON"],
    [chunks("0\r\n X: a\r\n\r\n"), "400 MAITRED_FOLDED_FIELD"],
    [chunks("0\r\nX\r\n\r\n"), "400 MAITRED_MISSING_COLON"],
    [chunks("0\r\nX: \0\r\n\r\n"), "400 MAITRED_CONTROL_CHARACTER"],
    [chunks("0\r\nX: a\n\r\n"), "400 MAITRED_BARE_LF"],
    [chunks("0\r\nX: a\rY: b\r\n\r\n"), "400 MAITRED_BARE_CR"],
    [chunks("0\r\nContent-Length: 5\r\n\r\n"), "400 MAITRED_FORBIDDEN_TRAILER"],
    [chunks("0\r\nTransfer-Encoding: chunked\r\n\r\n"), "400 MAITRED_FORBIDDEN_TRAILER"],
    [chunks("0\r\nHost: a\r\n\r\n"), "400 MAITRED_FORBIDDEN_TRAILER"],
    [chunks("0\r\n" + "X: a\r\n".repeat(101) + "\r\n"), "431 MAITRED_TOO_MANY_FIELDS"],
    [chunks(`0\r\nX: ${"a".repeat(8190)}\r\n\r\n`), "431 MAITRED_FIELD_TOO_LARGE"],
  ],
  "RFC 9112 9.3, Connection": [
    [fields("Connection: close\r\n"), "ok"],
    [fields("Connection: , keep-alive ,Upgrade\r\nConnection: x\r\n"), "ok"],
  ],
  "RFC 9110 10.1.1, Expect": [
    [fields("Expect: 100-Continue\r\nContent-Length: 1\r\n") + "x", "ok"],
    [fields("Expect: 200-ok\r\n"), "417 MAITRED_UNKNOWN_EXPECTATION"],
    [fields("Expect: 100-continue\r\nExpect: 100-continue\r\n"), "417 MAITRED_UNKNOWN_EXPECTATION"],
    ["GET / HTTP/1.0\r\nExpect: 200-ok\r\n\r\n", "ok"],
  ],
  limits: [
    [line(`GET /${"a".repeat(4080)} HTTP/1.1`), "ok"],
    [line(`GET /${"a".repeat(4081)} HTTP/1.1`), "414 MAITRED_REQUEST_LINE_TOO_LONG"],
    ["a".repeat(4095), "414 MAITRED_REQUEST_LINE_TOO_LONG"],
    [fields("X: a\r\n".repeat(99)), "ok"],
    [fields("X: a\r\n".repeat(100)), "431 MAITRED_TOO_MANY_FIELDS"],
    [fields(`X: ${"a".repeat(8187)}\r\n`), "ok"],
    [fields(`X: ${"a".repeat(8188)}\r\n`), "431 MAITRED_FIELD_TOO_LARGE"],
    [fields(`X: ${"a".repeat(8180)}\r\n`.repeat(9)), "431 MAITRED_HEAD_TOO_LARGE"],
  ],
};

export const REQUEST_CASES: readonly RequestCase[] = Object.entries(TABLE).flatMap(([section, rows]) =>
  rows.map(([bytes, verdict]) => {
    const quoted = JSON.stringify(bytes.length > 120 ? bytes.slice(0, 120) + "..." : bytes);
    return { title: `${section}: ${quoted} is ${verdict}`, bytes, verdict };
  }),
);

test("the cases differ from each other", () => {
  const seen = new Set<string>();
  for (const { title, bytes } of REQUEST_CASES) {
    assert.ok(!seen.has(bytes), title);
    seen.add(bytes);
  }
});
