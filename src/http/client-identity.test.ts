import assert from "node:assert/strict";
import { test } from "node:test";
import { ClientIdentity, type ForwardingPolicy } from "./client-identity.ts";
import { headOf } from "./exchange.test.ts";
import { Peer } from "./exchange.ts";
import { BadForwarding, FORWARDING_FIELDS } from "./forwarded.ts";
import type { RequestHead } from "./request-head.ts";
import { trusted } from "./trusted-proxies.test.ts";

const policy: ForwardingPolicy = { trusted: trusted("127.0.0.1"), believed: new Set(FORWARDING_FIELDS) };
const proxy = (): Peer => new Peer("127.0.0.1", 5000, "localhost", 8000, "http");
const head = (...fields: string[]): RequestHead =>
  headOf(`${["GET / HTTP/1.1", "Host: own.example:8000", ...fields].join("\r\n")}\r\n\r\n`);

function identified(peer: Peer, request: RequestHead): { head: RequestHead; peer: Peer } {
  const result = new ClientIdentity(peer, policy).of(request);
  return result instanceof BadForwarding ? assert.fail(result.detail) : result;
}

test("a section is marked where a field tells who the client is", () => {
  for (const name of ["Forwarded", "x-forwarded-for", "X-FORWARDED-ANYTHING", "X-Real-IP"])
    assert.ok(head(`${name}: 1`).headers.isForwarding, name);
  assert.ok(!head("X-Forwarded: 1", "Forward: 1", "Via: 1.1 x").headers.isForwarding);
});

test("a stranger's fields are removed, all other ones stay", () => {
  const peer = new Peer("203.0.113.9", 5000, "localhost", 8000, "http");
  const { head: cleaned, peer: client } = identified(
    peer,
    head(
      "X-Forwarded-For: 127.0.0.1",
      "Accept: */*",
      "Forwarded: for=1.2.3.4",
      "x-real-ip: 1",
      "X-Forwarded-Prefix: /x",
    ),
  );
  assert.equal(client, peer);
  assert.deepEqual(
    cleaned.headers.names.map((name) => name.raw),
    ["Host", "Accept"],
  );
  assert.deepEqual(cleaned.headers.values, ["own.example:8000", "*/*"]);
  assert.ok(!cleaned.headers.isForwarding);
});

test("a trusted proxy's word becomes the peer, and its fields reach the app", () => {
  const request = head("X-Forwarded-For: 203.0.113.7", "X-Forwarded-Proto: https");
  const { head: same, peer } = identified(proxy(), request);
  assert.equal(same, request);
  assert.deepEqual(
    [peer.address, peer.port, peer.scheme, peer.serverName, peer.serverPort],
    ["203.0.113.7", 0, "https", "localhost", 8000],
  );
});

for (const [fields, host, name, port] of [
  [["X-Forwarded-Host: a.example"], "a.example", "a.example", 80],
  [["X-Forwarded-Host: a.example", "X-Forwarded-Proto: https"], "a.example", "a.example", 443],
  [["X-Forwarded-Host: a.example:8443"], "a.example:8443", "a.example", 8443],
  [["X-Forwarded-Host: a.example:1", "X-Forwarded-Port: 8443"], "a.example:8443", "a.example", 8443],
  [["X-Forwarded-Host: [::1]", "X-Forwarded-Port: 81"], "[::1]:81", "[::1]", 81],
  [["X-Forwarded-Port: 443", "X-Forwarded-Proto: https"], "own.example", "localhost", 443],
  [["X-Forwarded-Port: 443"], "own.example:443", "localhost", 443],
] as const) {
  test(`${fields.join("; ")} makes Host ${host}`, () => {
    const { head: changed, peer } = identified(proxy(), head(...fields));
    assert.equal(changed.headers.get("host"), host);
    assert.deepEqual([peer.serverName, peer.serverPort], [name, port]);
  });
}

test("a Host that HTTP/1.0 did not send is added", () => {
  const { head: changed } = identified(proxy(), headOf("GET / HTTP/1.0\r\nX-Forwarded-Host: a.example\r\n\r\n"));
  assert.equal(changed.headers.get("host"), "a.example");
});

test("the prefix is the peer's", () =>
  assert.equal(identified(proxy(), head("X-Forwarded-Prefix: /api")).peer.prefix, "/api"));

test("a connection that repeats itself gets the same objects", () => {
  const identity = new ClientIdentity(proxy(), policy);
  const request = head("X-Forwarded-For: 203.0.113.7", "X-Forwarded-Host: a.example");
  const of = (one: RequestHead): { head: RequestHead; peer: Peer } => {
    const result = identity.of(one);
    return result instanceof BadForwarding ? assert.fail() : result;
  };
  const first = of(request);
  const second = of({ ...request, path: "/other" });
  assert.equal(second.head.headers, first.head.headers);
  assert.equal(second.head.path, "/other");
  assert.equal(second.peer, first.peer);
  // Another section of the same client keeps the peer, and with it its encoded form.
  const third = of(head("X-Forwarded-For: 203.0.113.7", "X-Forwarded-Host: a.example", "Cookie: a"));
  assert.equal(third.peer, first.peer);
  assert.notEqual(of(head("X-Forwarded-For: 203.0.113.8")).peer, first.peer);
});

test("what was refused is refused again", () => {
  const identity = new ClientIdentity(proxy(), policy);
  const good = head("X-Forwarded-For: 203.0.113.7");
  const bad = head('Forwarded: for="');
  assert.ok(!(identity.of(good) instanceof BadForwarding));
  assert.ok(identity.of(bad) instanceof BadForwarding);
  assert.ok(identity.of(bad) instanceof BadForwarding);
  assert.ok(!(identity.of(good) instanceof BadForwarding));
});
