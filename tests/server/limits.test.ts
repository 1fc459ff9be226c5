/** What one client may ask of the front, limit by limit: each is played by a client that goes past it, and names itself in the log. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect as connectHttp2 } from "node:http2";
import { suite, test } from "node:test";

import { Browser } from "../support/browser.ts";
import { Gates } from "../support/gates.ts";
import { startMaitred } from "../support/maitred.ts";
import { testApps } from "../support/places.ts";
import { exchangeRaw, RawClient } from "../support/raw-client.ts";

const bind = ["-b", "127.0.0.1:0", "-w", "1", "--chdir", testApps];
const start = [...bind, "-k", "sync", "wsgi_app:application"];
const GET = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
const post = (...fields: string[]): string => `${["POST /echo HTTP/1.1", "Host: x", ...fields].join("\r\n")}\r\n\r\n`;

const models = [
  { name: "WSGI", start },
  { name: "ASGI", start: [...bind, "-k", "asgi", "asgi_app:application"] },
];

suite("slow requests", () => {
  test("a head that does not come gets 408 after --header-timeout", async () => {
    const server = await startMaitred([...start, "--header-timeout", "600ms"]);
    const client = await RawClient.open(server.port);
    await client.send("GET / HTTP/1.1\r\nHo");
    assert.equal((await client.response()).status, 408);
    await server.waitForLine(/refused with 408: .*--header-timeout/);
    client.leave();
    await server.stop();
  });

  test("a head that dribbles gets it too: each byte does not begin the time anew", async () => {
    const server = await startMaitred([...start, "--header-timeout", "1"]);
    const client = await RawClient.open(server.port);
    await client.send("GET / HTTP/1.1\r\nX: ");
    const dribble = setInterval(() => client.socket.write("x"), 100);
    assert.equal((await client.response()).status, 408);
    clearInterval(dribble);
    client.leave();
    await server.stop();
  });

  for (const model of models) {
    test(`a body that stops gets 408 after --body-timeout, on ${model.name}`, async () => {
      const server = await startMaitred([...model.start, "--body-timeout", "600ms", "--min-body-rate", "0"]);
      const client = await RawClient.open(server.port);
      await client.send(`${post("Content-Length: 10")}hello`);
      assert.equal((await client.response()).status, 408);
      await server.waitForLine(/refused with 408: .*--body-timeout/);
      client.leave();
      await server.stop();
    });

    test(`a body that dribbles gets 408 for --min-body-rate, on ${model.name}`, async () => {
      const server = await startMaitred([...model.start, "--body-timeout", "1"]);
      const client = await RawClient.open(server.port);
      await client.send(post("Content-Length: 1000000"));
      const dribble = setInterval(() => client.socket.write("x"), 100);
      assert.equal((await client.response()).status, 408);
      clearInterval(dribble);
      await server.waitForLine(/refused with 408: .*--min-body-rate 240/);
      client.leave();
      await server.stop();
    });
  }

  test("a slow body is fine where --min-body-rate 0 allows it", async () => {
    const server = await startMaitred([...start, "--body-timeout", "1", "--min-body-rate", "0"]);
    const client = await RawClient.open(server.port);
    await client.send(post("Content-Length: 20"));
    const dribble = setInterval(() => client.socket.write("x"), 120);
    const response = await client.response();
    clearInterval(dribble);
    assert.equal(response.body.toString(), "x".repeat(20));
    client.leave();
    await server.stop();
  });

  test("a client that waits for 100 Continue is not slow: the app has not asked", async () => {
    const gates = new Gates();
    const server = await startMaitred([...start, "--body-timeout", "1s"], { env: gates.env });
    const busy = await RawClient.open(server.port);
    await busy.send("GET /hold?name=long HTTP/1.1\r\nHost: x\r\n\r\n");
    await server.waitForLine(/holding long/);
    const client = await RawClient.open(server.port);
    await client.send(post("Expect: 100-continue", "Content-Length: 5"));
    await new Promise<void>((resolve) => setTimeout(resolve, 2000));
    gates.open("long");
    assert.equal((await client.response()).status, 100);
    await client.send("hello");
    assert.equal((await client.response()).body.toString(), "hello");
    client.leave();
    busy.leave();
    await server.stop();
  });
});

suite("large heads", () => {
  test("are refused with the setting's name in the log, over HTTP/1.1 and HTTP/2", async () => {
    const limits = ["--limit-request-line", "500", "--limit-request-fields", "10", "--limit-request-field_size", "300"];
    const server = await startMaitred([...start, ...limits]);
    const long = "x".repeat(600);
    const many = Object.fromEntries(Array.from({ length: 12 }, (_, i) => [`x-${i}`, "1"]));
    const session = connectHttp2(`http://127.0.0.1:${server.port}`);
    for (const [path, fields, status, line] of [
      [
        `/${long}`,
        {},
        414,
        /414: the request line is longer than 500 bytes \(--limit-request-line\)[^]*414: .*500 bytes \(--limit-request-line\)/,
      ],
      [
        "/",
        { x: long },
        431,
        /431: .*longer than 300 bytes \(--limit-request-field_size\)[^]*431: .*limit of 300 \(--limit-request-field_size\)/,
      ],
      [
        "/",
        many,
        431,
        /431: there are more than 10 header.*\(--limit-request-fields\)[^]*431: .*limit of 10 \(--limit-request-fields\)/,
      ],
    ] as const) {
      const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`);
      const raw = await exchangeRaw(server.port, `GET ${path} HTTP/1.1\r\nHost: x\r\n${lines.join("")}\r\n`);
      assert.match(raw, new RegExp(`^HTTP/1\\.1 ${status} `));
      const stream = session.request({ ":path": path, ...fields });
      const [head] = (await once(stream, "response")) as [Record<string, unknown>];
      assert.equal(head[":status"], status);
      stream.resume();
      await server.waitForLine(line);
    }
    session.close();
    await server.stop();
  });
});

suite("large bodies", () => {
  for (const model of models) {
    test(`an announced body over --limit-request-body gets 413 unread, on ${model.name}`, async () => {
      const server = await startMaitred([...model.start, "--limit-request-body", "1k"]);
      const client = await RawClient.open(server.port);
      await client.send(post("Content-Length: 1025", "Expect: 100-continue"));
      assert.equal((await client.response()).status, 413);
      await server.waitForLine(/refused with 413: .*--limit-request-body 1024/);
      const browser = new Browser(server.port);
      assert.equal((await browser.ask("/echo", { method: "POST", body: Buffer.alloc(1024, "x") })).status, 200);
      browser.close();
      client.leave();
      await server.stop();
    });

    test(`a chunked one gets it as soon as it goes over, on ${model.name}`, async () => {
      const server = await startMaitred([...model.start, "--limit-request-body", "1k"]);
      const client = await RawClient.open(server.port);
      await client.send(post("Transfer-Encoding: chunked"));
      await client.send(`400\r\n${"x".repeat(1024)}\r\n`);
      await client.send("1\r\nx\r\n");
      assert.equal((await client.response()).status, 413);
      await client.rest();
      client.leave();
      const browser = new Browser(server.port);
      assert.equal((await browser.get("/")).text, "hello");
      browser.close();
      await server.stop();
    });
  }
});

suite("many connections", () => {
  test("past --limit-connections the longest idle one is closed for the new one", async () => {
    const server = await startMaitred([...start, "--limit-connections", "3"]);
    const clients: RawClient[] = [];
    for (let count = 0; count < 3; count++) {
      const client = await RawClient.open(server.port);
      await client.send(GET);
      await client.response();
      clients.push(client);
    }
    // Old enough to be told apart: the sweep notes who is idle.
    await new Promise<void>((resolve) => setTimeout(resolve, 1100));
    await clients[0]!.send(GET);
    await clients[0]!.response();
    const more = await RawClient.open(server.port);
    await more.send(GET);
    assert.equal((await more.response()).status, 200);
    await server.waitForLine(/Closing idle connections .*--limit-connections 3/);
    assert.equal(await clients[1]!.rest(), "");
    await clients[0]!.send(GET);
    assert.equal((await clients[0]!.response()).status, 200);
    for (const client of [...clients, more]) client.leave();
    await server.stop();
  });

  test("where none is idle the new one gets 503", async () => {
    const gates = new Gates();
    const threads = [...bind, "-k", "gthread", "--threads", "2", "wsgi_app:application"];
    const server = await startMaitred([...threads, "--limit-connections", "2"], { env: gates.env });
    const busy = await Promise.all([RawClient.open(server.port), RawClient.open(server.port)]);
    for (const [index, client] of busy.entries()) {
      await client.send(`GET /hold?name=gate${index} HTTP/1.1\r\nHost: x\r\n\r\n`);
      await server.waitForLine(new RegExp(`holding gate${index}`));
    }
    const more = await RawClient.open(server.port);
    assert.match(await more.rest(), /^HTTP\/1\.1 503 /);
    await server.waitForLine(/All 2 connections are at work.*--limit-connections/);
    gates.open("gate0", "gate1");
    for (const client of busy) {
      assert.equal((await client.response()).status, 200);
      client.leave();
    }
    more.leave();
    await server.stop();
  });

  test("past --limit-connections-per-client the new one gets 503, and room comes back", async () => {
    const server = await startMaitred([...start, "--limit-connections-per-client", "1"]);
    const first = await RawClient.open(server.port);
    await first.send(GET);
    await first.response();
    const second = await RawClient.open(server.port);
    assert.match(await second.rest(), /^HTTP\/1\.1 503 /);
    await server.waitForLine(/Too many connections from 127\.0\.0\.1 .*--limit-connections-per-client 1/);
    first.leave();
    second.leave();
    for (;;) {
      const third = await RawClient.open(server.port);
      await third.send(GET);
      const { status } = await third.response();
      third.leave();
      if (status === 200) break;
    }
    await server.stop();
  });

  test("--limit-requests-per-connection closes after the last one", async () => {
    const server = await startMaitred([...start, "--limit-requests-per-connection", "2"]);
    const client = await RawClient.open(server.port);
    await client.send(GET + GET + GET);
    assert.equal((await client.response()).headers["connection"], undefined);
    assert.equal((await client.response()).headers["connection"], "close");
    assert.equal(await client.rest(), "");
    client.leave();
    await server.stop();
  });

  test("past --limit-concurrency a request gets 503", async () => {
    const gates = new Gates();
    const server = await startMaitred([...start, "--limit-concurrency", "2"], { env: gates.env });
    const held = await Promise.all([RawClient.open(server.port), RawClient.open(server.port)]);
    await held[0]!.send("GET /hold?name=gate HTTP/1.1\r\nHost: x\r\n\r\n");
    await server.waitForLine(/holding gate/);
    await held[1]!.send("GET /pid HTTP/1.1\r\nHost: x\r\n\r\n");
    const browser = new Browser(server.port);
    for (;;) if ((await browser.get("/")).status === 503) break;
    await server.waitForLine(/--limit-concurrency 2/);
    gates.open("gate");
    for (const client of held) assert.equal((await client.response()).status, 200);
    assert.equal((await browser.get("/")).status, 200);
    for (const client of held) client.leave();
    browser.close();
    await server.stop();
  });
});
