/** Nanoseconds per request of the HTTP/1.1 parser: `.tools/bin/node scripts/bench-parser.ts`. The least of many rounds, as machines are busy. */
import { DEFAULT_HEAD_LIMITS } from "../src/http/http1/head-limits.ts";
import { RequestParser } from "../src/http/http1/request-parser.ts";

const ROUNDS = 400;
const REQUESTS = 1000;

const browser = (path: string, cookie: string): Buffer =>
  Buffer.from(
    `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:8000\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36\r\n` +
      "Accept: text/html,application/xhtml+xml\r\nAccept-Encoding: gzip, deflate, br\r\nAccept-Language: en-US,en;q=0.9\r\n" +
      `Cookie: session=abcdefghijklmnopqrstuvwxyz0123456789; id=${cookie}\r\nConnection: keep-alive\r\n\r\n`,
  );
const many = (make: (i: number) => Buffer): Buffer[] => Array.from({ length: REQUESTS }, (_, i) => make(i));

const cases: Readonly<Record<string, readonly Buffer[]>> = {
  "small GET, repeated": [Buffer.from("GET / HTTP/1.1\r\nHost: 127.0.0.1:8000\r\n\r\n")],
  "browser's GET, repeated": [browser("/hello", "1")],
  "browser's GET, other path": many((i) => browser(`/hello?id=${i}`, "1")),
  "browser's GET, other cookie": many((i) => browser("/hello", String(i))),
  "POST with length": [Buffer.from("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello")],
  "POST in chunks": [
    Buffer.from("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"),
  ],
};

for (const [name, requests] of Object.entries(cases)) {
  const parser = new RequestParser(DEFAULT_HEAD_LIMITS, {
    onHead() {},
    onBody() {},
    onEnd: () => parser.next(),
    onError: (error) => {
      throw new Error(error.detail);
    },
  });
  let least = Infinity;
  for (let round = 0; round < ROUNDS; round++) {
    const start = process.hrtime.bigint();
    for (let i = 0; i < REQUESTS; i++) parser.push(requests[i % requests.length]!);
    least = Math.min(least, Number(process.hrtime.bigint() - start) / REQUESTS);
  }
  console.log(`${name.padEnd(30)}${least.toFixed(0).padStart(6)} ns`);
}
