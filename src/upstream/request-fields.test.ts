import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Peer } from "../http/exchange.ts";
import { headOf } from "../http/exchange.test.ts";
import { type FieldsPlan, requestFields } from "./request-fields.ts";

const PLAN: FieldsPlan = { authority: "inner:9000", hostHeader: null, forwarding: "none", stripPrefix: "" };
const DIRECT = new Peer("192.0.2.7", 40_000, "www.example.com", 443, "https");
const BEHIND_PROXY = new Peer("192.0.2.7", 40_000, "www.example.com", 443, "https", null, "/shop", "10.0.0.1");

function lines(fields: string, plan: Partial<FieldsPlan> = {}, peer = DIRECT): string[] {
  const head = headOf(`GET / HTTP/1.1\r\n${fields}\r\n`);
  const flat = requestFields(head, peer, { ...PLAN, ...plan }) ?? assert.fail("it goes in circles");
  return flat.flatMap((text, i) => (i % 2 === 0 ? [`${text}: ${flat[i + 1]}`] : []));
}

describe("what goes on", () => {
  test("the fields in their order and spelling, several of one name too", () => {
    assert.deepEqual(lines("Host: a\r\nX-One: 1\r\naccept: b\r\nX-One: 2\r\nCookie: c=d\r\n"), [
      "Host: a",
      "X-One: 1",
      "accept: b",
      "X-One: 2",
      "Cookie: c=d",
      "Via: 1.1 maitred",
    ]);
  });

  test("nothing of the client's connection, nor what its Connection names", () => {
    const sent =
      "Host: a\r\nConnection: keep-alive, X-Hop ,x-two\r\nKeep-Alive: timeout=5\r\nProxy-Connection: close\r\n" +
      "X-Hop: 1\r\nX-Two: 2\r\nTE: trailers\r\nTrailer: x\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n" +
      "Proxy-Authorization: Basic x\r\nAuthorization: Basic y\r\n";
    assert.deepEqual(lines(sent), ["Host: a", "Authorization: Basic y", "Via: 1.1 maitred"]);
  });

  test("nothing of the framing, nor Expect", () => {
    assert.deepEqual(lines("Host: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n"), [
      "Host: a",
      "Via: 1.1 maitred",
    ]);
    assert.deepEqual(lines("Host: a\r\nTransfer-Encoding: chunked\r\n"), ["Host: a", "Via: 1.1 maitred"]);
  });

  test("a Connection that names Host does not take it away", () => {
    assert.equal(lines("Host: a\r\nConnection: host\r\n")[0], "Host: a");
  });

  test("Host as the plan says", () => {
    assert.equal(lines("Host: a\r\n", { hostHeader: "inner:9000" })[0], "Host: inner:9000");
  });

  test("the upstream's own Host where a client of HTTP/1.0 sends none", () => {
    const head = headOf("GET / HTTP/1.0\r\n\r\n");
    assert.deepEqual(requestFields(head, DIRECT, PLAN), ["Host", "inner:9000", "Via", "1.0 maitred"]);
  });
});

describe("the client", () => {
  const told = (fields: string, plan: Partial<FieldsPlan>, peer = DIRECT): string[] =>
    lines(fields, plan, peer).filter((line) => !/^(?:Host|Via):/.test(line));

  test("is told as X-Forwarded-*", () => {
    assert.deepEqual(told("Host: www.example.com\r\n", { forwarding: "x-forwarded" }), [
      "X-Forwarded-For: 192.0.2.7",
      "X-Forwarded-Proto: https",
      "X-Forwarded-Host: www.example.com",
      "X-Forwarded-Port: 443",
    ]);
  });

  test("behind a trusted proxy is told with the proxy behind it, and is not doubled", () => {
    const sent =
      "Host: www.example.com\r\nX-Forwarded-For: 192.0.2.7\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Prefix: /shop\r\n";
    assert.deepEqual(told(sent, { forwarding: "x-forwarded", stripPrefix: "/api" }, BEHIND_PROXY), [
      "X-Forwarded-For: 192.0.2.7, 10.0.0.1",
      "X-Forwarded-Proto: https",
      "X-Forwarded-Host: www.example.com",
      "X-Forwarded-Port: 443",
      "X-Forwarded-Prefix: /shop/api",
    ]);
  });

  test("is told whatever field the trusted proxy told it in", () => {
    const sent = "Host: h\r\nForwarded: for=192.0.2.7;proto=https\r\n";
    assert.equal(told(sent, { forwarding: "x-forwarded" }, BEHIND_PROXY)[0], "X-Forwarded-For: 192.0.2.7, 10.0.0.1");
    const x = "Host: h\r\nX-Forwarded-For: 192.0.2.7\r\n";
    assert.deepEqual(told(x, { forwarding: "forwarded" }, BEHIND_PROXY), [
      "Forwarded: for=192.0.2.7;host=h;proto=https, for=10.0.0.1",
    ]);
  });

  test("cannot take its address away by naming the field in Connection", () => {
    const sent = "Host: h\r\nConnection: x-forwarded-for\r\nX-Forwarded-For: 1.1.1.1\r\n";
    assert.equal(told(sent, { forwarding: "x-forwarded" })[0], "X-Forwarded-For: 1.1.1.1, 192.0.2.7");
  });

  test("is told as Forwarded, IPv6 and ports in quotes", () => {
    const peer = new Peer("2001:db8::1", 1, "h", 8000, "http");
    assert.deepEqual(told("Host: h:8000\r\n", { forwarding: "forwarded" }, peer), [
      'Forwarded: for="[2001:db8::1]";host="h:8000";proto=http',
    ]);
    assert.deepEqual(told("Host: h\r\nForwarded: for=_x\r\n", { forwarding: "forwarded" }), [
      "Forwarded: for=_x, for=192.0.2.7;host=h;proto=https",
    ]);
  });

  test("on a Unix socket has no address", () => {
    const peer = new Peer("", 0, "h", 0, "http");
    assert.deepEqual(told("Host: h\r\n", { forwarding: "both" }, peer), [
      "X-Forwarded-Proto: http",
      "X-Forwarded-Host: h",
      "Forwarded: for=unknown;host=h;proto=http",
    ]);
  });

  test("is not told where the upstream is not to know", () => {
    assert.deepEqual(told("Host: h\r\nX-Forwarded-For: 1.1.1.1\r\nX-Real-IP: 1.1.1.1\r\nForwarded: for=x\r\n", {}), []);
  });
});

describe("Via", () => {
  test("grows by us", () => {
    assert.equal(
      lines("Host: a\r\nVia: 1.0 fred, 1.1 p.example.net\r\n").at(-1),
      "Via: 1.0 fred, 1.1 p.example.net, 1.1 maitred",
    );
  });

  test("tells a request that goes in circles", () => {
    const head = (passes: number): ReturnType<typeof headOf> =>
      headOf(`GET / HTTP/1.1\r\nHost: a\r\nVia: ${Array(passes).fill("1.1 maitred").join(", ")}\r\n\r\n`);
    assert.notEqual(requestFields(head(9), DIRECT, PLAN), null);
    assert.equal(requestFields(head(10), DIRECT, PLAN), null);
  });
});
