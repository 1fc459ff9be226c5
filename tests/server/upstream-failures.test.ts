/** Upstreams that break the rules or die, clients that leave, connections that are lost. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { RawClient } from "../support/raw-client.ts";
import type { UpstreamConnection } from "../support/raw-upstream.ts";
import { asked, get, OK, type Scene, scene } from "../support/upstream-scene.ts";

describe("an upstream that fails", () => {
  const BAD: readonly [string, string, RegExp][] = [
    ["talks nonsense", "hello there\r\n\r\n", /not HTTP\/1\.1: /],
    [
      "says two lengths",
      "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok",
      /lengths|Content-Length/,
    ],
    ["splits a field", "HTTP/1.1 200 OK\r\nX: a\0b\r\nContent-Length: 0\r\n\r\n", /not HTTP|control character/],
    ["names a field badly", "HTTP/1.1 200 OK\r\nX Y: a\r\nContent-Length: 0\r\n\r\n", /not HTTP|not a token/],
    ["has another coding", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", /not chunked alone/],
    ["switches protocols unasked", "HTTP/1.1 101 Go\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n", /closed|not HTTP/],
    ["has a large head", `HTTP/1.1 200 OK\r\nX: ${"a".repeat(70_000)}\r\n\r\n`, /too large \(max-head-size\)/],
  ];
  for (const [what, bytes, reason] of BAD)
    test(`and ${what} is 502, and the log says why`, async () => {
      const { client, behind, front } = await asked();
      behind.send(bytes);
      assert.equal((await client.response()).status, 502);
      assert.match(front.lines.join("\n"), /^GET \/: upstream http:\S+: [^\n]+; answered 502$/);
      assert.match(front.lines[0]!, reason);
      await behind.closed();
      client.leave();
    });

  test("by closing before it answers is 502", async () => {
    const { client, behind, front } = await asked();
    behind.socket.end();
    assert.equal((await client.response()).status, 502);
    assert.match(front.lines[0]!, /it closed the connection; answered 502/);
    client.leave();
  });

  test("by not answering in time is 504", async () => {
    const { client, behind, front } = await asked({ "response-timeout": "100ms" });
    assert.equal((await client.response()).status, 504);
    assert.match(front.lines[0]!, /no response within response-timeout; answered 504/);
    await behind.closed();
    client.leave();
  });

  const MIDWAY: readonly [string, string, (connection: UpstreamConnection) => void][] = [
    ["before its length", "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhalf", ({ socket }) => socket.end()],
    [
      "in the midst of chunks",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n",
      ({ socket }) => socket.end(),
    ],
    [
      "by a reset, where the connection ends it",
      "HTTP/1.1 200 OK\r\n\r\nhalf",
      ({ socket }) => socket.resetAndDestroy(),
    ],
  ];
  for (const [how, bytes, end] of MIDWAY)
    test(`${how} has its client cut off`, async () => {
      const { client, behind, front } = await asked();
      behind.send(bytes);
      await client.match(/half/);
      end(behind);
      const text = await client.rest();
      assert.doesNotMatch(text, /\r\n0\r\n\r\n$/);
      assert.match(await front.line(/upstream/), /; the response was cut$/);
    });

  test("by saying no more has its client cut off", async () => {
    const { client, behind, front } = await asked({ "idle-timeout": "100ms" });
    behind.send("HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhalf");
    assert.match(await client.rest(), /half$/);
    assert.match(
      await front.line(/upstream/),
      /nothing more of its response within idle-timeout; the response was cut$/,
    );
  });

  test("does not reach the next request with what it says too much", async () => {
    const { client, behind, upstream } = await asked();
    behind.send(`${OK}HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nwrong`);
    assert.equal((await client.response()).body.toString(), "ok");
    await behind.closed();
    await client.send(get("/next"));
    const next = await upstream.connection();
    await next.head();
    next.send(OK);
    assert.equal((await client.response()).body.toString(), "ok");
    client.leave();
  });
});

describe("a client that leaves", () => {
  test("before the response takes its request back", async () => {
    const { client, behind, front } = await asked();
    client.vanish();
    await behind.closed();
    assert.match(await front.finished(/^\//), /^\/ 499/);
    assert.deepEqual(front.lines, []);
  });

  test("in the midst of the response takes its request back", async () => {
    const { client, behind } = await asked();
    behind.send("HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhalf");
    await client.match(/half/);
    client.vanish();
    await behind.closed();
  });

  test("in the midst of its request does not complete it", async () => {
    const { client, upstream } = await scene();
    await client.send("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n");
    const behind = await upstream.connection();
    await behind.match(/hello/);
    client.leave();
    await behind.closed();
    assert.doesNotMatch(behind.received, /0\r\n\r\n/);
  });

  test("while it waits for a connection never gets one", async () => {
    const { client, front, behind } = await asked({ "max-connections": 1 });
    const other = await RawClient.open(front.port);
    await other.send(get("/other"));
    other.vanish();
    await front.finished(/^\/other 499/);
    behind.send(OK);
    await client.response();
    await client.send(get("/again"));
    assert.match(await behind.head(), /^GET \/again /);
    client.leave();
  });
});

describe("connections", () => {
  test("are used again, by other clients too", async () => {
    const { client, behind, front } = await asked();
    behind.send(OK);
    await client.response();
    const other = await RawClient.open(front.port);
    for (const one of [other, client]) {
      await one.send(get("/again"));
      await behind.head();
      behind.send(OK);
      assert.equal((await one.response()).status, 200);
      one.leave();
    }
  });

  test("carry one request each where they are not kept", async () => {
    const { client, upstream } = await scene({ "keep-alive": 0 });
    for (let i = 0; i < 2; i++) {
      await client.send(get());
      const behind = await upstream.connection();
      assert.match(await behind.head(), /\r\nconnection: close\r\n/);
      behind.send(OK);
      assert.equal((await client.response()).status, 200);
      await behind.closed();
    }
    client.leave();
  });

  /** The server closes an idle connection just when the next request comes over it. */
  async function lostWhileIdle(request: string): Promise<Scene> {
    const { client, behind, front, upstream } = await asked();
    behind.send(OK);
    await client.response();
    await client.send(request);
    await behind.head();
    behind.socket.resetAndDestroy();
    return { client, front, upstream };
  }

  test("lost while idle: what is idempotent is sent again on a fresh one", async () => {
    const { client, upstream } = await lostWhileIdle(get("/again"));
    const fresh = await upstream.connection();
    assert.match(await fresh.head(), /^GET \/again /);
    fresh.send(OK);
    assert.equal((await client.response()).status, 200);
    client.leave();
  });

  test("lost while idle: what is idempotent is sent again once", async () => {
    const { client, upstream } = await lostWhileIdle(get("/again"));
    const fresh = await upstream.connection();
    await fresh.head();
    fresh.socket.resetAndDestroy();
    assert.equal((await client.response()).status, 502);
    client.leave();
  });

  test("lost while idle: another request is not sent again", async () => {
    const { client, front } = await lostWhileIdle("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n");
    assert.equal((await client.response()).status, 502);
    assert.match(front.lines[0]!, /it (?:reset|closed) the connection; answered 502/);
    client.leave();
  });

  test("lost after the first byte of the response: nothing is sent again", async () => {
    const { client, behind } = await asked();
    behind.send(OK);
    await client.response();
    await client.send(get("/again"));
    await behind.head();
    behind.send("HTTP/1.1 200");
    behind.socket.end();
    assert.equal((await client.response()).status, 502);
    client.leave();
  });

  test("are no more than max-connections: further requests wait their turn", async () => {
    const { client, front, behind } = await asked({ "max-connections": 1 });
    const other = await RawClient.open(front.port);
    await other.send(get("/other"));
    behind.send(OK);
    assert.equal((await client.response()).status, 200);
    assert.match(await behind.head(), /^GET \/other /);
    behind.send(OK);
    assert.equal((await other.response()).status, 200);
    client.leave();
    other.leave();
  });

  test("that do not become free in time are 503", async () => {
    const { client, front } = await asked({ "max-connections": 1, "connect-timeout": "100ms" });
    const other = await RawClient.open(front.port);
    await other.send(get("/other"));
    assert.equal((await other.response()).status, 503);
    assert.match(front.lines[0]!, /none of its 1 connections is free \(max-connections\); answered 503/);
    client.leave();
    other.leave();
  });

  test("that fail give their place to who waits", async () => {
    const { client, front, behind, upstream } = await asked({ "max-connections": 1 });
    const other = await RawClient.open(front.port);
    await other.send(get("/other"));
    behind.socket.end();
    assert.equal((await client.response()).status, 502);
    const next = await upstream.connection();
    assert.match(await next.head(), /^GET \/other /);
    next.send(OK);
    assert.equal((await other.response()).status, 200);
    client.leave();
    other.leave();
  });
});
