import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Exchange } from "../http/exchange.ts";
import { fieldsOf } from "../http/exchange.test.ts";
import { LINGER_MS } from "./connection.ts";
import { Client, get, ok } from "./house.test.ts";

const CLOSE = "Connection: close";
const post = (...fields: string[]): string => `${["POST /p HTTP/1.1", "Host: h", ...fields].join("\r\n")}\r\n\r\n`;
const chunked = (...fields: string[]): string =>
  `${["HTTP/1.1 200 OK", "Transfer-Encoding: chunked", ...fields].join("\r\n")}\r\n\r\n`;
const BAD_REQUEST = /^HTTP\/1\.1 400 Bad Request\r\n.*Connection: close\r\n\r\n400 Bad Request\n<FIN>$/s;

/** Begins a streamed response to the oldest request that waits. */
function start(client: Client, ...flat: string[]): Exchange {
  const exchange = client.submitted.shift() ?? assert.fail("no request waits");
  exchange.start(200, "", fieldsOf(...flat));
  return exchange;
}

describe("a connection", () => {
  test("serves one request after the other", async () => {
    const client = new Client();
    for (const path of ["/a", "/b", "/c"]) {
      await client.sends(get(path));
      client.reply(path);
      assert.equal(await client.received(), ok(path));
    }
    assert.deepEqual(client.told, ["done /a 200 2", "done /b 200 2", "done /c 200 2"]);
  });

  test("answers what is pipelined in order, one at a time", async () => {
    const client = new Client();
    await client.sends(get("/a") + get("/b") + get("/c").slice(0, 9), get("/c").slice(9));
    for (const path of ["/a", "/b", "/c"]) {
      assert.deepEqual(
        client.submitted.map(({ head }) => head.path),
        [path],
      );
      client.reply(path);
    }
    assert.equal(await client.received(), ok("/a") + ok("/b") + ok("/c"));
  });

  test("answers any number that is answered at once, without growing the stack", async () => {
    const client = new Client();
    client.answer = (exchange) => exchange.complete(200, "", fieldsOf(), "x");
    await client.sends(get("/").repeat(5000));
    assert.equal(await client.received(), ok("x").repeat(5000));
  });

  test("reads no more than 64 KiB ahead of the request at work", async () => {
    const client = new Client();
    await client.sends(get("/") + "x".repeat(70_000));
    assert.equal(client.socket.isPaused(), true);
  });

  test("ends after the response where the client, the version or the app says so", async () => {
    for (const [request, flat] of [
      [get("/", CLOSE), []],
      ["GET / HTTP/1.0\r\n\r\n", []],
      [get("/"), ["Connection", "close"]],
    ] as const) {
      const client = new Client();
      await client.sends(request + get("/never"));
      client.reply("ok", 200, ...flat);
      assert.equal(await client.received(), `${ok("ok", CLOSE)}<FIN>`);
      assert.equal(client.submitted.length, 0);
    }
  });

  test("of HTTP/1.0 goes on where the client asks for it", async () => {
    const client = new Client();
    await client.sends("GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    client.reply();
    assert.equal(await client.received(), ok("ok", "Connection: keep-alive"));
    await client.sends(get("/b"));
    client.reply();
    assert.equal(await client.received(), ok("ok"));
  });
});

describe("a response", () => {
  test("without a body has none, whatever the app gives", async () => {
    for (const [request, status, expected] of [
      ["HEAD / HTTP/1.1\r\nHost: h\r\n\r\n", 200, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n"],
      [get("/"), 204, "HTTP/1.1 204 No Content\r\n\r\n"],
      [get("/"), 304, "HTTP/1.1 304 Not Modified\r\nContent-Length: 4\r\n\r\n"],
    ] as const) {
      const client = new Client();
      await client.sends(request);
      client.reply("body", status);
      assert.equal(await client.received(), expected);
      assert.deepEqual(client.told, [`done / ${status} 0`]);
    }
  });

  test("has Date and Server of the house unless the app has its own", async () => {
    const client = new Client({ date: "now", server: "maitred" });
    await client.sends(get("/a") + get("/b"));
    client.reply();
    client.reply("ok", 200, "Date", "then", "Server", "own");
    const own = "HTTP/1.1 200 OK\r\nDate: then\r\nServer: own\r\nContent-Length: 2\r\n\r\nok";
    assert.equal(await client.received(), ok("ok", "Date: now", "Server: maitred") + own);
  });

  test("as bytes is the same as one as text", async () => {
    const client = new Client();
    await client.sends(get("/"));
    client.submitted[0]!.complete(200, "", fieldsOf(), Buffer.from([0, 0xff]));
    assert.equal(await client.received(), ok("\0\u00ff"));
  });

  test("shorter than the app promised is told, and cut so that nobody takes it for whole", async () => {
    const client = new Client();
    await client.sends(get("/"));
    client.reply("four", 200, "Content-Length", "9");
    assert.equal(await client.received(), "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nfour<FIN>");
    assert.deepEqual(client.told, ["bad length / 9 4", "done / 200 4"]);
  });

  test("longer than the app promised is told, and ends where it was promised to", async () => {
    const client = new Client();
    await client.sends(get("/"));
    client.reply("four", 200, "Content-Length", "2");
    assert.match(await client.received(), /^HTTP\/1\.1 200 OK\r\nContent-Length: 2\r\n\r\nfo(<FIN>)?$/);
    assert.deepEqual(client.told.includes("bad length / 2 4"), true);
  });
});

describe("a streamed response", () => {
  test("is chunked, and the connection goes on", async () => {
    const client = new Client();
    await client.sends(get("/a") + get("/b"));
    const exchange = start(client);
    for (const piece of ["one", "", "x".repeat(17)]) exchange.write(Buffer.from(piece));
    exchange.end();
    client.reply();
    assert.equal(await client.received(), `${chunked()}3\r\none\r\n11\r\n${"x".repeat(17)}\r\n0\r\n\r\n${ok("ok")}`);
    assert.deepEqual(client.told, ["done /a 200 20", "done /b 200 2"]);
  });

  test("has the length that the app gave", async () => {
    const client = new Client();
    await client.sends(get("/a"));
    const exchange = start(client, "Content-Length", "6");
    exchange.write(Buffer.from("one"));
    exchange.write(Buffer.from("two"));
    exchange.end();
    assert.equal(await client.received(), ok("onetwo"));
  });

  test("to HTTP/1.0 ends with the connection", async () => {
    const client = new Client();
    await client.sends("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    const exchange = start(client);
    exchange.write(Buffer.from("one"));
    exchange.end();
    assert.equal(await client.received(), `HTTP/1.1 200 OK\r\n${CLOSE}\r\n\r\none<FIN>`);
  });

  test("to HEAD has no body, and the worker gets its credit back", async () => {
    const client = new Client();
    await client.sends("HEAD / HTTP/1.1\r\nHost: h\r\n\r\n");
    const exchange = start(client, "Content-Length", "3");
    let sent = 0;
    exchange.onSent = (bytes) => (sent += bytes);
    exchange.write(Buffer.from("one"));
    exchange.end();
    assert.equal(await client.received(), "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n");
    assert.equal(sent, 3);
  });

  test("tells of each byte that has gone to the client, also of those beyond the promise", async () => {
    const client = new Client();
    await client.sends(get("/a") + get("/b"));
    const exchange = start(client, "Content-Length", "4");
    let sent = 0;
    exchange.onSent = (bytes) => (sent += bytes);
    exchange.write(Buffer.from("123456"));
    exchange.write(Buffer.from("78"));
    exchange.end();
    client.reply();
    assert.equal(await client.received(), ok("1234") + ok("ok"));
    assert.equal(sent, 8);
    assert.deepEqual(client.told, ["bad length /a 4 8", "done /a 200 4", "done /b 200 2"]);
  });

  test("shorter than promised is cut, so that nobody takes it for whole", async () => {
    const client = new Client();
    await client.sends(get("/a") + get("/b"));
    const exchange = start(client, "Content-Length", "9");
    exchange.write(Buffer.from("1234"));
    exchange.end();
    assert.equal(await client.received(), "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n1234<FIN>");
    assert.deepEqual([client.told, client.submitted.length], [["bad length /a 9 4", "done /a 200 4"], 0]);
    assert.equal(client.socket.destroyed, true);
  });

  test("that is cut has no last chunk", async () => {
    const client = new Client();
    await client.sends(get("/a"));
    const exchange = start(client);
    exchange.write(Buffer.from("1234"));
    exchange.cut();
    exchange.write(Buffer.from("more"));
    exchange.end();
    assert.equal(await client.received(), `${chunked()}4\r\n1234\r\n<FIN>`);
    assert.deepEqual(client.told, ["done /a 200 4"]);
  });
});

describe("a client that has ended", () => {
  test("while it waited in the queue is gone, and the request with it", async () => {
    const client = new Client();
    await client.sends(get("/a"));
    const exchange = client.submitted[0]!;
    exchange.state = "queued";
    let gone = 0;
    exchange.onGone = () => gone++;
    await client.ends();
    assert.deepEqual([gone, exchange.state, client.told], [1, "done", ["done /a 499 0"]]);
    assert.equal(await client.received(), "<FIN>");
    assert.equal(client.socket.destroyed, true);
  });

  test("while a WSGI app is at work still gets its answer", async () => {
    const client = new Client();
    await client.sends(get("/a"));
    await client.ends();
    client.reply();
    assert.equal(await client.received(), `${ok("ok", CLOSE)}<FIN>`);
    assert.deepEqual(client.told, ["done /a 200 2"]);
    assert.equal(client.socket.destroyed, true);
  });

  test("while an ASGI app is at work is gone at once", async () => {
    const client = new Client({ streamsBodies: () => true });
    await client.sends(get("/a"));
    await client.ends();
    assert.equal(client.submitted[0]!.state, "done");
    assert.deepEqual(client.told, ["done /a 499 0"]);
  });

  test("in the middle of its body is gone", async () => {
    const client = new Client();
    await client.sends(`${post("Content-Length: 9")}abc`);
    await client.ends();
    assert.deepEqual([client.submitted, client.told], [[], ["done /p 499 0"]]);
  });

  test("or whose connection is reset leaves once, and later answers go nowhere", async () => {
    const client = new Client();
    await client.sends(get("/a"));
    client.socket.destroy(new Error("reset"));
    await client.received();
    client.submitted[0]!.complete(200, "", fieldsOf(), "late");
    assert.deepEqual([client.told, await client.received()], [["done /a 499 0"], ""]);
  });
});

describe("a request that cannot be read", () => {
  test("is answered, and the connection ends", async () => {
    const client = new Client();
    await client.sends("GET / HTTP/1.1\r\n\r\n", get("/never"));
    assert.match(await client.received(), BAD_REQUEST);
    assert.deepEqual([client.told, client.submitted], [["rejected 400", "done - 400 16"], []]);
  });

  test("is answered after those before it", async () => {
    const client = new Client();
    await client.sends(`${get("/a")}nonsense\r\n\r\n`);
    client.reply();
    const text = await client.received();
    assert.ok(text.startsWith(ok("ok")));
    assert.match(text.slice(ok("ok").length), BAD_REQUEST);
  });

  test("by its body, before the app had it, is answered and logged with that status", async () => {
    const client = new Client();
    await client.sends(`${post("Transfer-Encoding: chunked")}3\r\nabc\r\n`, "nonsense\r\n");
    assert.match(await client.received(), BAD_REQUEST);
    assert.deepEqual([client.told, client.submitted], [["rejected 400", "done /p 400 16"], []]);
  });

  test("by its body, when the response has begun, is cut without another answer", async () => {
    const client = new Client({ streamsBodies: () => true });
    await client.sends(`${post("Transfer-Encoding: chunked")}3\r\nabc\r\n`);
    start(client);
    await client.sends("nonsense\r\n");
    assert.equal(await client.received(), `${chunked()}<FIN>`);
  });
});

describe("the house", () => {
  test("closes what is idle beyond the time for it, after each request anew", async () => {
    const client = new Client();
    client.connection.checkTimeouts(2000);
    client.clock.time = 1900;
    await client.sends(get("/a"));
    client.connection.checkTimeouts(999_999);
    client.clock.time = 100_000;
    client.reply();
    await client.received();
    client.connection.checkTimeouts(100_000); // the sweep notes when it first found the connection idle
    client.connection.checkTimeouts(102_000);
    assert.equal(await client.received(), "");
    client.connection.checkTimeouts(102_001);
    assert.equal(await client.received(), "<FIN>");
  });

  test("answers 408 to a head that does not end, from its first byte on", async () => {
    const client = new Client();
    client.clock.time = 1000;
    await client.sends("GET / HT");
    client.clock.time = 30_000;
    await client.sends("TP/1.1\r\n");
    client.connection.checkTimeouts(31_000);
    assert.equal(await client.received(), "");
    client.connection.checkTimeouts(31_001);
    assert.match(await client.received(), /^HTTP\/1\.1 408 Request Timeout\r\n.*<FIN>$/s);
    assert.deepEqual(client.told, ["rejected 408", "done - 408 20"]);
  });

  test("destroys what does not end after our last word", async () => {
    const client = new Client();
    await client.sends(get("/", CLOSE));
    client.reply();
    await client.received();
    client.connection.checkTimeouts(LINGER_MS);
    assert.equal(client.socket.destroyed, false);
    client.connection.checkTimeouts(LINGER_MS + 1);
    assert.equal(client.socket.destroyed, true);
  });

  test("drains: the idle end at once, the busy after their response, the half-read after theirs", async () => {
    const [idle, busy, half] = [new Client(), new Client(), new Client()];
    await busy.sends(get("/a") + get("/never"));
    await half.sends(get("/b").slice(0, 9));
    for (const client of [idle, busy, half]) {
      client.context.isDraining = true;
      client.connection.drain();
    }
    await half.sends(get("/b").slice(9));
    busy.reply();
    half.reply();
    assert.deepEqual(
      [await idle.received(), await busy.received(), await half.received()],
      ["<FIN>", `${ok("ok", CLOSE)}<FIN>`, `${ok("ok", CLOSE)}<FIN>`],
    );
    assert.equal(busy.submitted.length, 0);
  });
});
