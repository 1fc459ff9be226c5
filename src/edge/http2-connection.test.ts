/** HTTP/2 connections over real sockets: bodies both ways, the client that leaves, the ends of a connection. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { constants, type IncomingHttpHeaders } from "node:http2";
import { test } from "node:test";
import { fieldsOf } from "../http/exchange.test.ts";
import { PREFACE } from "../http/http2/frames.ts";
import { answer, Door, post } from "./http2-door.test.ts";

test("HEAD, 204 and 304 have no body, and say only what they may", async () => {
  const door = await new Door().open();
  const client = await door.client();
  const cases: [string, number, string | undefined][] = [
    ["HEAD", 200, "5"],
    ["GET", 204, undefined],
    ["GET", 304, "5"],
  ];
  for (const [method, status, length] of cases) {
    const got = answer(client.request({ ":method": method, ":path": "/" }));
    (await door.next()).complete(status, "", fieldsOf("Content-Length", "5"), "hello");
    const { headers, body } = await got;
    assert.deepEqual([headers[":status"], headers["content-length"], body], [status, length, ""]);
  }
});

test("a gathered body reaches a WSGI app whole; one that is long is streamed to it", async () => {
  const door = await new Door().open();
  const client = await door.client();
  const small = post(client, "/small");
  small.write("abc");
  small.end("def");
  assert.equal((await door.next()).body?.toString(), "abcdef");
  const large = post(client, "/large");
  large.end(Buffer.alloc(3_000_000, "x"));
  const exchange = await door.next();
  let size = 0;
  await new Promise<void>((resolve) => {
    const body = exchange.stream!;
    const take = (): void => {
      for (const chunk of body.take(1_000_000)) size += chunk.length;
      if (body.isEnded && body.size === 0) resolve();
    };
    body.onReadable = take;
    take();
  });
  assert.equal(size, 3_000_000);
});

test("what the app does not take the client cannot send; the other streams go on", async () => {
  const door = await new Door({ streamsBodies: () => true }).open();
  const client = await door.client();
  const stuck = post(client, "/stuck");
  stuck.write(Buffer.alloc(2_000_000));
  const { stream: body } = await door.next();
  const other = answer(post(client, "/other").end("x"));
  const exchange = await door.next();
  exchange.complete(200, "", fieldsOf(), "fine");
  assert.equal((await other).body, "fine");
  assert.ok(body!.size <= 262_144 + 65_535 + 16_384, `${body!.size} bytes wait`);
  let taken = 0;
  body!.onReadable = () => {
    for (const chunk of body!.take(1e6)) taken += chunk.length;
    door.tell("taken");
  };
  body!.onReadable();
  await door.until(() => taken === 2_000_000);
});

test("100 Continue is sent when the app asks for the body", async () => {
  const door = await new Door({ streamsBodies: () => true }).open();
  const client = await door.client();
  const stream = post(client, "/", { expect: "100-continue", "content-length": "5" });
  const continued = once(stream, "continue");
  const exchange = await door.next();
  exchange.stream!.onWanted!();
  await continued;
  const got = answer(stream.end("hello"));
  exchange.complete(200, "", fieldsOf(), "x");
  assert.equal((await got).headers[":status"], 200);
});

test("a streamed response goes out as it comes, with early hints before and trailers behind", async () => {
  const door = await new Door().open();
  const client = await door.client();
  const stream = client.request({ ":path": "/", te: "trailers" });
  const hints = once(stream, "headers") as Promise<[IncomingHttpHeaders]>;
  const trailers = once(stream, "trailers") as Promise<[IncomingHttpHeaders]>;
  const got = answer(stream);
  const exchange = await door.next();
  let sent = 0;
  exchange.onSent = (bytes) => (sent += bytes);
  exchange.inform(103, fieldsOf("Link", "</s.css>"));
  exchange.start(200, "", fieldsOf());
  exchange.write(Buffer.from("one"));
  exchange.write(Buffer.from("two"));
  exchange.end(fieldsOf("X-Sum", "6"));
  assert.deepEqual((await hints)[0].link, "</s.css>");
  assert.equal((await got).body, "onetwo");
  assert.equal((await trailers)[0]["x-sum"], "6");
  assert.equal(sent, 6);
  assert.deepEqual(door.told, ["done / 200 6"]);
});

test("trailers go only to who takes them", async () => {
  const door = await new Door().open();
  const stream = (await door.client()).request({ ":path": "/" });
  stream.on("trailers", () => assert.fail("trailers came"));
  const got = answer(stream);
  const exchange = await door.next();
  exchange.start(200, "", fieldsOf());
  exchange.end(fieldsOf("X-Sum", "6"));
  assert.equal((await got).headers[":status"], 200);
});

test("a response that cannot be completed is reset, never taken for whole", async () => {
  const door = await new Door().open();
  const client = await door.client();
  const cut = client.request({ ":path": "/cut" });
  const [error] = (await Promise.all([
    once(cut, "error"),
    door.next().then((exchange) => {
      exchange.start(200, "", fieldsOf());
      exchange.write(Buffer.from("half"));
      exchange.cut();
    }),
  ])) as [[Error], void];
  assert.match(error[0].message, /INTERNAL_ERROR/);
  const short = client.request({ ":path": "/short" });
  await Promise.all([
    once(short, "error"),
    door.next().then((exchange) => exchange.complete(200, "", fieldsOf("Content-Length", "9"), "short")),
  ]);
  assert.ok(door.told.includes("bad length /short 9 5"));
});

test("credit comes back as the client takes the response, not before", async () => {
  const door = await new Door().open();
  const client = await door.client({ initialWindowSize: 1000 });
  const stream = client.request({ ":path": "/" });
  stream.pause();
  const exchange = await door.next();
  let sent = 0;
  exchange.onSent = (bytes) => {
    sent += bytes;
    door.tell("sent");
  };
  exchange.start(200, "", fieldsOf());
  exchange.write(Buffer.alloc(5000));
  await once(stream, "response");
  assert.equal(sent, 1000);
  stream.resume();
  await door.until(() => sent === 5000);
});

test("a request taken back is told to the app at once", async () => {
  const door = await new Door().open();
  const client = await door.client();
  const stream = client.request({ ":path": "/slow" });
  stream.on("error", () => {});
  const exchange = await door.next();
  stream.close(constants.NGHTTP2_CANCEL);
  await door.until(() => door.told.length === 2);
  assert.deepEqual(door.told, ["gone /slow", "done /slow 499 0"]);
  exchange.complete(200, "", fieldsOf(), "too late");
  const upload = post(client, "/upload");
  upload.write("half");
  const other = answer(client.request({ ":path": "/other" }));
  (await door.next()).complete(200, "", fieldsOf(), "x");
  await other;
  upload.close(constants.NGHTTP2_CANCEL);
  await door.until(() => door.told.includes("done /upload 499 0"));
});

test("a lost connection takes all its requests back", async () => {
  const door = await new Door().open();
  const client = await door.client();
  for (const path of ["/1", "/2"]) client.request({ ":path": path }).on("error", () => {});
  await door.next();
  await door.next();
  client.destroy();
  await door.until(() => door.told.includes("closed"));
  assert.deepEqual(door.told, ["gone /1", "done /1 499 0", "gone /2", "done /2 499 0", "closed"]);
});

test("a drain says GOAWAY, serves what was under way, and closes", async () => {
  const door = await new Door().open();
  const client = await door.client();
  const got = answer(client.request({ ":path": "/" }));
  const exchange = await door.next();
  const goaway = once(client, "goaway");
  door.connection.drain();
  await goaway;
  exchange.complete(200, "", fieldsOf(), "served");
  assert.equal((await got).body, "served");
  await door.until(() => door.told.includes("closed"));
  assert.deepEqual(door.told, ["done / 200 6", "closed"]);
});

test("an idle connection ends after the keep-alive time", async () => {
  const door = await new Door({ keepAliveMs: 1000 }).open();
  const client = await door.client();
  const got = answer(client.request({ ":path": "/" }));
  (await door.next()).complete(200, "", fieldsOf(), "x");
  await got;
  const closed = once(client, "close");
  door.connection.checkTimeouts(door.clock.now() + 900);
  assert.equal(client.closed, false);
  door.connection.checkTimeouts(door.clock.now() + 1100);
  await closed;
});

test("a client that never opens its window loses the stream after a minute", async () => {
  const door = await new Door().open();
  const client = await door.client({ initialWindowSize: 0 });
  const stream = client.request({ ":path": "/" });
  stream.on("error", () => {});
  (await door.next()).complete(200, "", fieldsOf(), "never read");
  await once(stream, "response");
  const now = door.clock.now();
  door.connection.checkTimeouts(now);
  door.connection.checkTimeouts(now + 61_000);
  await once(stream, "close");
  assert.equal(stream.rstCode, constants.NGHTTP2_CANCEL);
  assert.match(door.told.at(-1)!, /write stall/);
});

test("every split of the preface is known for one", async () => {
  const door = await new Door().open();
  for (let cut = 1; cut < PREFACE.length; cut++) {
    const socket = await door.raw();
    const answered = once(socket, "data") as Promise<[Buffer]>;
    socket.write(PREFACE.slice(0, cut));
    // The two pieces must not meet in one read.
    await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
    socket.write(PREFACE.slice(cut));
    assert.equal((await answered)[0][3], 4, "SETTINGS comes first");
    socket.destroy();
  }
});

test("what only begins like the preface is HTTP/1.1", async () => {
  const door = await new Door().open();
  for (const pieces of [
    ["P", "OST / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n"],
    ["PR", "OPFIND / HTTP/1.1\r\nHost: h\r\n\r\n"],
  ]) {
    const socket = await door.raw();
    const answered = once(socket, "data") as Promise<[Buffer]>;
    for (const piece of pieces) {
      socket.write(piece);
      await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
    }
    (await door.next()).complete(200, "", fieldsOf(), "one");
    assert.match((await answered)[0].toString(), /^HTTP\/1\.1 200/);
  }
});

test("a part of the preface and then nothing ends after the header timeout", async () => {
  const door = await new Door().open();
  const socket = await door.raw();
  socket.write("PRI * ");
  await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
  while (door.connections.length === 0) await new Promise((resolve) => setImmediate(resolve));
  door.connection.checkTimeouts(door.clock.now() + 100_000);
  await once(socket.resume(), "close");
});

test("malformed is reset, beyond a limit is answered", async () => {
  const door = await new Door().open();
  const client = await door.client();
  const stream = client.request({ ":path": "no-slash" });
  await once(stream, "error");
  assert.equal(stream.rstCode, constants.NGHTTP2_PROTOCOL_ERROR);
  const long = await answer(client.request({ ":path": `/${"a".repeat(5000)}` }));
  assert.equal(long.headers[":status"], 414);
  const wide = await answer(client.request({ ":path": "/", "x-wide": "a".repeat(9000) }));
  assert.equal(wide.headers[":status"], 431);
  assert.deepEqual(door.told.slice(0, 2), ["rejected 400", "done - 400 0"]);
});
