/** Requests that are wrong on purpose. Each is refused, its connection is closed, and the application never hears of it. */
import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";

import { Browser } from "../support/browser.ts";
import { startMaitred, type Maitred } from "../support/maitred.ts";
import { testApps } from "../support/places.ts";
import { RawClient, exchangeRaw } from "../support/raw-client.ts";

const SMUGGLED = "GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n";
const post = (fields: string, body: string = ""): string => `POST /hit HTTP/1.1\r\nHost: x\r\n${fields}\r\n${body}`;
const get = (fields: string): string => `GET /hit HTTP/1.1\r\nHost: x\r\n${fields}\r\n`;

const requests: readonly { readonly name: string; readonly bytes: string; readonly status: readonly number[] }[] = [
  {
    name: "Content-Length and Transfer-Encoding",
    bytes: post("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", `0\r\n\r\n${SMUGGLED}`),
    status: [400],
  },
  {
    name: "Transfer-Encoding and Content-Length",
    bytes: post("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", `0\r\n\r\n${SMUGGLED}`),
    status: [400],
  },
  {
    name: "two different Content-Lengths",
    bytes: post("Content-Length: 0\r\nContent-Length: 36\r\n", SMUGGLED),
    status: [400],
  },
  { name: "a list of Content-Lengths", bytes: post("Content-Length: 0, 36\r\n", SMUGGLED), status: [400] },
  { name: "a signed Content-Length", bytes: post("Content-Length: +5\r\n", "hello"), status: [400] },
  { name: "a negative Content-Length", bytes: post("Content-Length: -1\r\n", "hello"), status: [400] },
  { name: "a hexadecimal Content-Length", bytes: post("Content-Length: 0x5\r\n", "hello"), status: [400] },
  { name: "an empty Content-Length", bytes: post("Content-Length:\r\n", SMUGGLED), status: [400] },
  {
    name: "a Content-Length no number holds",
    bytes: post("Content-Length: 99999999999999999999999\r\n"),
    status: [400, 413],
  },
  {
    name: "an unknown transfer coding",
    bytes: post("Transfer-Encoding: xchunked\r\n", `0\r\n\r\n${SMUGGLED}`),
    status: [400, 501],
  },
  {
    name: "chunked that is not the last coding",
    bytes: post("Transfer-Encoding: chunked, identity\r\n", `0\r\n\r\n${SMUGGLED}`),
    status: [400, 501],
  },
  {
    name: "chunked twice",
    bytes: post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", `0\r\n\r\n${SMUGGLED}`),
    status: [400, 501],
  },
  {
    name: "Transfer-Encoding in HTTP/1.0",
    bytes: "POST /hit HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    status: [400],
  },
  {
    name: "a vertical tab before chunked",
    bytes: post("Transfer-Encoding: \x0bchunked\r\n", `0\r\n\r\n${SMUGGLED}`),
    status: [400, 501],
  },
  { name: "lines that end in a bare LF", bytes: "GET /hit HTTP/1.1\nHost: x\n\n", status: [400] },
  { name: "one field that ends in a bare LF", bytes: "GET /hit HTTP/1.1\r\nHost: x\nX-A: 1\r\n\r\n", status: [400] },
  { name: "a bare CR in a value", bytes: get("X-A: 1\rX-B: 2\r\n"), status: [400] },
  { name: "a NUL in a value", bytes: get("X-A: 1\x002\r\n"), status: [400] },
  { name: "a blank before the colon", bytes: post("Content-Length : 5\r\n", "hello"), status: [400] },
  { name: "a folded field", bytes: get("X-A: 1\r\n 2\r\n"), status: [400] },
  { name: "a first field that begins with a blank", bytes: "GET /hit HTTP/1.1\r\n Host: x\r\n\r\n", status: [400] },
  { name: "a field without a colon", bytes: get("nonsense\r\n"), status: [400] },
  { name: "a field without a name", bytes: get(": value\r\n"), status: [400] },
  { name: "a name that is not a token", bytes: get("X(A): 1\r\n"), status: [400] },
  { name: "a lower-case method", bytes: "get /hit HTTP/1.1\r\nHost: x\r\n\r\n", status: [400, 501] },
  { name: "a method that is not a token", bytes: "G@T /hit HTTP/1.1\r\nHost: x\r\n\r\n", status: [400] },
  { name: "no Host", bytes: "GET /hit HTTP/1.1\r\n\r\n", status: [400] },
  { name: "two Hosts", bytes: "GET /hit HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n", status: [400] },
  { name: "a Host with a path", bytes: "GET /hit HTTP/1.1\r\nHost: x/y\r\n\r\n", status: [400] },
  { name: "two blanks in the request line", bytes: "GET  /hit HTTP/1.1\r\nHost: x\r\n\r\n", status: [400] },
  { name: "a blank in the target", bytes: "GET /hit me HTTP/1.1\r\nHost: x\r\n\r\n", status: [400] },
  { name: "no version", bytes: "GET /hit\r\n\r\n", status: [400, 505] },
  { name: "a version that is not one", bytes: "GET /hit HTTP/1.1x\r\nHost: x\r\n\r\n", status: [400, 505] },
  { name: "a version of the future", bytes: "GET /hit HTTP/9.9\r\nHost: x\r\n\r\n", status: [400, 505] },
  { name: "a control character in the target", bytes: "GET /hit\x01 HTTP/1.1\r\nHost: x\r\n\r\n", status: [400] },
  { name: "a TLS greeting", bytes: "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", status: [400] },
  { name: "a huge field", bytes: get(`X-Huge: ${"a".repeat(70_000)}\r\n`), status: [431] },
  {
    name: "too many fields",
    bytes: get(Array.from({ length: 300 }, (_, index) => `X-${index}: 1\r\n`).join("")),
    status: [431],
  },
  { name: "a long request line", bytes: `GET /hit?${"a".repeat(70_000)} HTTP/1.1\r\nHost: x\r\n\r\n`, status: [414] },
];

const models = [
  { name: "WSGI", args: ["-k", "sync", "-w", "1", "wsgi_app:application"] },
  { name: "ASGI", args: ["-k", "asgi", "-w", "1", "asgi_app:application"] },
] as const;

for (const model of models) {
  suite(`hostile requests, on ${model.name}`, () => {
    let server: Maitred;

    before(async () => {
      server = await startMaitred(["-b", "127.0.0.1:0", "--chdir", testApps, ...model.args]);
    });

    after(async () => {
      assert.deepEqual(await server.stop(), { code: 0, signal: null });
    });

    for (const { name, bytes, status } of requests) {
      test(`${name} is refused with ${status.join(" or ")}`, async () => {
        const answer = await exchangeRaw(server.port, bytes);
        const given = /^HTTP\/1\.[01] (\d{3}) /.exec(answer)?.[1];
        assert.ok(
          given !== undefined && status.includes(Number(given)),
          `answered ${JSON.stringify(answer.slice(0, 300))}`,
        );
        assert.equal(answer.match(/^HTTP\/1\.[01] /gm)?.length, 1, "one response, then the end");
        assert.match(answer, /\r\nconnection: close\r\n/i);
      });
    }

    test("a chunk whose size is nonsense ends the connection and the request behind it is not served", async () => {
      const answer = await exchangeRaw(
        server.port,
        post("Transfer-Encoding: chunked\r\n", `zz\r\nhello\r\n0\r\n\r\n${SMUGGLED}`),
      );
      assert.ok((answer.match(/^HTTP\/1\.[01] /gm)?.length ?? 0) <= 1, answer);
    });

    test("a chunk longer than it says ends the connection and the request behind it is not served", async () => {
      const answer = await exchangeRaw(
        server.port,
        post("Transfer-Encoding: chunked\r\n", `3\r\nhello\r\n0\r\n\r\n${SMUGGLED}`),
      );
      assert.ok((answer.match(/^HTTP\/1\.[01] /gm)?.length ?? 0) <= 1, answer);
    });

    test("a request that breaks off is not served", async () => {
      const client = await exchangeRawHalf(server.port, "GET /hit HTTP/1.1\r\nHost: x\r\nX-A");
      assert.doesNotMatch(client, / 200 /);
    });

    test("the application has heard of none of them", async () => {
      const browser = new Browser(server.port);
      const count = (await browser.get("/count")).text;
      browser.close();
      // The two bodies that turn out wrong in the middle belong to requests with a good head: those may have begun.
      assert.doesNotMatch(count, /smuggled/);
      const hits = Number(/\/hit=(\d+)/.exec(count)?.[1] ?? 0);
      assert.ok(hits <= 2, count);
      assert.equal(
        count
          .replace(/\/hit=\d+/, "")
          .trim()
          .replace("nothing", ""),
        "",
      );
    });
  });
}

async function exchangeRawHalf(port: number, bytes: string): Promise<string> {
  const client = await RawClient.open(port);
  await client.send(bytes);
  client.socket.end();
  const answer = await client.rest();
  client.leave();
  return answer;
}
