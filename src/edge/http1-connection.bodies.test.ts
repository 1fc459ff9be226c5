/** What the edge does with the bodies of requests: gathered, streamed, asked for, thrown away. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { HIGH_WATER } from "../http/request-body.ts";
import { LINGER_MS } from "./connection.ts";
import { Client, get, ok } from "./house.test.ts";

const post = (...fields: string[]): string => `${["POST /p HTTP/1.1", "Host: h", ...fields].join("\r\n")}\r\n\r\n`;
const CONTINUE = "HTTP/1.1 100 Continue\r\n\r\n";

describe("for a WSGI app", () => {
  test("a body is gathered before the request goes on", async () => {
    const client = new Client();
    await client.sends(`${post("Content-Length: 6")}abc`);
    assert.equal(client.submitted.length, 0);
    await client.sends("def");
    const [exchange] = client.submitted;
    assert.deepEqual([exchange!.body?.toString(), exchange!.stream], ["abcdef", null]);
  });

  test("chunks are put together", async () => {
    const client = new Client();
    await client.sends(post("Transfer-Encoding: chunked"), "3\r\nabc\r\n", "2;x=y\r\nde\r\n0\r\n\r\n");
    assert.equal(client.submitted[0]!.body?.toString(), "abcde");
  });

  test("a body of more than 1 MiB is streamed, announced or not", async () => {
    const announced = new Client();
    await announced.sends(`${post("Content-Length: 1048577")}abc`);
    assert.deepEqual([announced.submitted[0]!.body, announced.submitted[0]!.stream?.size], [null, 3]);
    const silent = new Client();
    await silent.sends(`${post("Transfer-Encoding: chunked")}100001\r\n${"x".repeat(1_048_576)}`);
    assert.equal(silent.submitted.length, 0);
    await silent.sends("x");
    assert.deepEqual([silent.submitted[0]!.body, silent.submitted[0]!.stream?.size], [null, 1_048_577]);
  });
});

describe("for an ASGI app", () => {
  test("a body is streamed as it arrives", async () => {
    const client = new Client({ streamsBodies: () => true });
    await client.sends(`${post("Content-Length: 6")}abc`);
    const stream = client.submitted[0]!.stream!;
    assert.deepEqual([stream.take(9).map(String), stream.isEnded], [["abc"], false]);
    await client.sends("def");
    assert.deepEqual([stream.take(9).map(String), stream.isEnded], [["def"], true]);
  });

  test("one that came whole with its head is not", async () => {
    const client = new Client({ streamsBodies: () => true });
    await client.sends(`${post("Content-Length: 3")}abc`);
    assert.deepEqual([client.submitted[0]!.body?.toString(), client.submitted[0]!.stream], ["abc", null]);
  });

  test("a client faster than the app is held back, and let go on when the app has read", async () => {
    const client = new Client({ streamsBodies: () => true });
    await client.sends(post("Content-Length: 9999999"), "x".repeat(HIGH_WATER), "x");
    const stream = client.submitted[0]!.stream!;
    assert.equal(client.socket.isPaused(), true);
    stream.take(HIGH_WATER / 2);
    assert.equal(client.socket.isPaused(), true);
    stream.take(1);
    assert.equal(client.socket.isPaused(), false);
  });
});

describe("100 Continue", () => {
  const EXPECTING = post("Content-Length: 3", "Expect: 100-continue");

  test("is sent once, when the app first asks for the body", async () => {
    const client = new Client();
    await client.sends(EXPECTING);
    const stream = client.submitted[0]!.stream!;
    assert.equal(await client.received(), "");
    stream.onWanted!();
    stream.onWanted!();
    assert.equal(await client.received(), CONTINUE);
    await client.sends("abc");
    assert.deepEqual([stream.take(9).map(String), stream.isEnded], [["abc"], true]);
    client.reply();
    assert.equal(await client.received(), ok("ok"));
  });

  test("is not sent where the body is there already", async () => {
    const client = new Client();
    await client.sends(`${EXPECTING}ab`);
    await client.sends("c");
    client.submitted[0]!.stream!.onWanted!();
    assert.equal(await client.received(), "");
  });

  test("is not sent after the response has begun; a body never asked for ends the connection", async () => {
    const client = new Client();
    await client.sends(EXPECTING);
    const stream = client.submitted[0]!.stream!;
    client.reply("no", 403);
    stream.onWanted!();
    assert.equal(
      await client.received(),
      "HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno<FIN>",
    );
  });
});

describe("a body that nobody wants any more", () => {
  test("is thrown away, and the next request served", async () => {
    const client = new Client({ streamsBodies: () => true });
    await client.sends(`${post("Content-Length: 600000")}x`);
    client.reply("no");
    await client.sends("x".repeat(300_000), `${"x".repeat(299_999)}${get("/next")}`);
    assert.deepEqual(
      client.submitted.map(({ head }) => head.path),
      ["/next"],
    );
    client.reply();
    assert.equal(await client.received(), ok("no") + ok("ok"));
  });

  test("is read on though the client had been held back", async () => {
    const client = new Client({ streamsBodies: () => true });
    await client.sends(post("Content-Length: 9999999"), "x".repeat(HIGH_WATER + 1));
    assert.equal(client.socket.isPaused(), true);
    client.reply("no");
    assert.equal(client.socket.isPaused(), false);
  });

  test("ends the connection beyond 1 MiB; nothing behind it is served, and the connection does not stay", async () => {
    const client = new Client({ streamsBodies: () => true });
    const length = 1_048_576 + 10;
    await client.sends(`${post(`Content-Length: ${length}`)}x`);
    client.reply("no");
    await client.sends(`${"x".repeat(length - 1)}${get("/never")}`);
    assert.equal(await client.received(), `${ok("no")}<FIN>`);
    assert.equal(client.submitted.length, 0);
    client.connection.checkTimeouts(LINGER_MS + 1);
    assert.equal(client.socket.destroyed, true);
  });
});
