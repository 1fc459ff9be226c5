/** Connections that begin with a PROXY protocol header, and those that should and do not. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { after, before, suite, test } from "node:test";
import { connect as tlsConnect, type TLSSocket } from "node:tls";

import { v2 } from "../../src/http/proxy-header.test.ts";
import { serverIdentity, writeIdentity } from "../support/certificates.ts";
import { startMaitred, type Maitred } from "../support/maitred.ts";
import { temporaryFolder } from "../support/places.ts";
import { RawClient, exchangeRaw } from "../support/raw-client.ts";
import { request, type Who, who, whoModels } from "../support/who.ts";

const HERE = ["-b", "127.0.0.1:0"];
const V1 = "PROXY TCP4 203.0.113.7 127.0.0.1 4711 80\r\n";
const V2_V6 = v2("21", "21", `${"20010db8000000000000000000000007"}${"0".repeat(31)}1126701bb0400020000`);

async function first(server: Maitred, ...pieces: readonly (string | Buffer)[]): Promise<Who> {
  const client = await RawClient.open(server.port);
  try {
    for (const piece of pieces) await client.send(piece);
    return who(await client.response());
  } finally {
    client.leave();
  }
}

for (const model of whoModels) {
  suite(`the PROXY protocol, on ${model.name}`, () => {
    let server: Maitred;

    before(async () => {
      server = await startMaitred([
        ...HERE,
        "--proxy-protocol",
        "--access-logfile",
        "-",
        "--access-logformat",
        "%(h)s %(U)s",
        ...model.args,
      ]);
    });

    after(async () => {
      assert.deepEqual(await server.stop(), { code: 0, signal: null });
    });

    for (const [title, header, address, port] of [
      ["version 1", V1, "203.0.113.7", 4711],
      ["version 1 over IPv6", "PROXY TCP6 2001:db8::7 ::1 4711 80\r\n", "2001:db8::7", 4711],
      ["version 2 over IPv6, with TLVs", V2_V6, "2001:db8::7", 4711],
    ] as const) {
      test(`${title} names the client`, async () => {
        const answer = await first(server, header, request("/"));
        assert.deepEqual([answer.address, answer.port], [address, port]);
      });

      test(`${title} in one write with the request`, async () => {
        const answer = await first(server, Buffer.concat([Buffer.from(header), Buffer.from(request("/one-write"))]));
        assert.equal(answer.address, address);
      });

      test(`${title}, byte by byte`, async () => {
        const answer = await first(server, ...[...Buffer.from(header)].map((byte) => Buffer.of(byte)), request("/"));
        assert.equal(answer.address, address);
      });
    }

    test("it names the client of every request on the connection, in the access log too", async () => {
      const client = await RawClient.open(server.port);
      await client.send(V1 + request("/first") + request("/second"));
      assert.equal(who(await client.response()).address, "203.0.113.7");
      assert.equal(who(await client.response()).address, "203.0.113.7");
      await server.waitForLine(/^203\.0\.113\.7 \/second$/m);
      client.leave();
    });

    for (const [title, header] of [
      ["UNKNOWN", "PROXY UNKNOWN ffff::1 ::1 1 2\r\n"],
      ["LOCAL", v2("20", "00", "")],
    ] as const) {
      test(`${title} leaves the peer what it is`, async () =>
        assert.equal((await first(server, header, request("/"))).address, "127.0.0.1"));
    }

    test("the client that it names is trusted on its own account", async () => {
      const answer = await first(server, V1, request("/", "X-Forwarded-For: 127.0.0.1"));
      assert.deepEqual([answer.address, answer.fields["x-forwarded-for"]], ["203.0.113.7", undefined]);
    });

    test("a body begins where the header and the head end", async () => {
      const head = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n";
      assert.equal((await first(server, V1, `${head}he`, "llo")).body, "hello");
    });

    test("a second header is no request", async () =>
      assert.match(await exchangeRaw(server.port, V1 + V1 + request("/")), /^HTTP\/1\.1 (400|501) /));

    for (const [title, bytes] of [
      ["no header", request("/")],
      ["a malformed header", `PROXY TCP4 localhost 127.0.0.1 1 2\r\n${request("/")}`],
      ["a header without an end", `PROXY TCP4 ${"1".repeat(200)}`],
    ] as const) {
      test(`${title} is refused, and told`, async () => {
        const answer = await exchangeRaw(server.port, bytes);
        assert.match(answer, /^HTTP\/1\.1 400 /);
        assert.equal(answer.match(/^HTTP\//gm)?.length, 1);
        await server.waitForLine(/Request from 127\.0\.0\.1 refused with 400: .*PROXY protocol header/);
      });
    }

    test("a TLS greeting without a header is cut without a word", async () =>
      assert.equal(await exchangeRaw(server.port, "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"), ""));

    test("a client that leaves before its header is complete leaves nothing behind", async () => {
      const client = await RawClient.open(server.port);
      await client.send("PROXY TCP4 203");
      client.vanish();
      assert.equal((await first(server, V1, request("/"))).address, "203.0.113.7");
    });
  });
}

test("only the version that is expected is taken", async () => {
  const server = await startMaitred([...HERE, "--proxy-protocol", "v2", ...whoModels[0]!.args]);
  assert.equal((await first(server, V2_V6, request("/"))).address, "2001:db8::7");
  assert.match(await exchangeRaw(server.port, V1 + request("/")), /^HTTP\/1\.1 400 /);
  await server.waitForLine(/no PROXY protocol header of version 2, which --proxy-protocol v2 expects/);
  await server.stop();
});

test("a peer that is not allowed is refused, with a header and without", async () => {
  const server = await startMaitred([
    ...HERE,
    "--proxy-protocol",
    "--proxy-allow-from",
    "192.0.2.1",
    ...whoModels[0]!.args,
  ]);
  for (const bytes of [V1 + request("/"), request("/")])
    assert.match(await exchangeRaw(server.port, bytes), /^HTTP\/1\.1 403 /);
  await server.waitForLine(/Request from 127\.0\.0\.1 refused with 403: .*--proxy-allow-from/);
  await server.stop();
});

test("connections that wait for their header do not hold up a stop", async () => {
  const server = await startMaitred([...HERE, "--proxy-protocol", ...whoModels[0]!.args]);
  const silent = await RawClient.open(server.port);
  const half = await RawClient.open(server.port);
  await half.send("PROXY TCP4 ");
  assert.equal((await first(server, V1, request("/"))).address, "203.0.113.7");
  assert.deepEqual(await server.stop(), { code: 0, signal: null });
  silent.leave();
  half.leave();
});

/** TLS inside a connection that has begun with something else. */
async function secureAfter(server: Maitred, ...pieces: readonly (string | Buffer)[]): Promise<TLSSocket> {
  const client = await RawClient.open(server.port);
  for (const piece of pieces) await client.send(piece);
  client.socket.removeAllListeners("data");
  const secure = tlsConnect({ socket: client.socket, rejectUnauthorized: false });
  secure.setEncoding("latin1");
  await once(secure, "secureConnect");
  return secure;
}

suite("the PROXY protocol before TLS", () => {
  let server: Maitred;

  before(async () => {
    const identity = writeIdentity(temporaryFolder(), serverIdentity("localhost"));
    server = await startMaitred([...HERE, "--proxy-protocol", ...identity, ...whoModels[0]!.args]);
  });

  after(async () => {
    assert.deepEqual(await server.stop(), { code: 0, signal: null });
  });

  for (const [title, pieces, address] of [
    ["version 1", [V1], "203.0.113.7"],
    ["version 1, in pieces", [V1.slice(0, 9), V1.slice(9)], "203.0.113.7"],
    ["version 2", [V2_V6], "2001:db8::7"],
  ] as const) {
    test(`${title} names the client, and TLS follows`, async () => {
      const secure = await secureAfter(server, ...pieces);
      secure.write(request("/", "Connection: close"));
      let answer = "";
      for await (const text of secure) answer += text;
      const told = JSON.parse(answer.slice(answer.indexOf("\r\n\r\n"))) as Who;
      assert.deepEqual([told.address, told.scheme], [address, "https"]);
    });
  }

  test("a handshake without a header is cut", async () => {
    await assert.rejects(secureAfter(server));
    await server.waitForLine(/Request from 127\.0\.0\.1 refused with 400: .*PROXY protocol header/);
  });

  test("a client that the header names is named when its handshake fails", async () => {
    await exchangeRaw(server.port, `${V1}\x16\x03\x01\x00\x02\x01\x00`);
    await server.waitForLine(/TLS handshake with 203\.0\.113\.7 failed/);
  });
});

suite("connections that wait for their header", () => {
  test("count towards --limit-connections, and the longest silent one gives way", async () => {
    const server = await startMaitred([...HERE, "--proxy-protocol", "--limit-connections", "2", ...whoModels[0]!.args]);
    const silent = [await RawClient.open(server.port), await RawClient.open(server.port)];
    assert.equal((await first(server, V1, request("/"))).address, "203.0.113.7");
    assert.equal(await silent[0]!.rest(), "");
    await server.waitForLine(/Closing idle connections .*--limit-connections 2/);
    for (const client of silent) client.leave();
    await server.stop();
  });

  test("who has begun its header does not give way", async () => {
    const server = await startMaitred([...HERE, "--proxy-protocol", "--limit-connections", "1", ...whoModels[0]!.args]);
    const half = await RawClient.open(server.port);
    await half.send(V1.slice(0, 10));
    await new Promise<void>((resolve) => setTimeout(resolve, 100));
    assert.match(await exchangeRaw(server.port, V1 + request("/")), /^HTTP\/1\.1 503 /);
    await half.send(V1.slice(10) + request("/"));
    assert.equal(who(await half.response()).address, "203.0.113.7");
    half.leave();
    await server.stop();
  });

  test("--limit-connections-per-client is by the client that the header names", async () => {
    const limit = ["--limit-connections-per-client", "1"];
    const server = await startMaitred([...HERE, "--proxy-protocol", ...limit, ...whoModels[0]!.args]);
    const held = await RawClient.open(server.port);
    await held.send(V1 + request("/"));
    await held.response();
    assert.match(await exchangeRaw(server.port, V1 + request("/")), /^HTTP\/1\.1 503 /);
    await server.waitForLine(/Too many connections from 203\.0\.113\.7 .*--limit-connections-per-client/);
    assert.equal((await first(server, V2_V6, request("/"))).address, "2001:db8::7");
    held.leave();
    // An IPv6 client has all addresses of its /64.
    const other = await RawClient.open(server.port);
    await other.send("PROXY TCP6 2001:db8::1 ::1 4711 80\r\n" + request("/"));
    await other.response();
    const neighbour = "PROXY TCP6 2001:db8::ffff:1 ::1 4711 80\r\n" + request("/");
    assert.match(await exchangeRaw(server.port, neighbour), /^HTTP\/1\.1 503 /);
    assert.equal(
      (await first(server, "PROXY TCP6 2001:db8:0:1::1 ::1 4711 80\r\n" + request("/"))).address,
      "2001:db8:0:1::1",
    );
    other.leave();
    await server.stop();
  });
});
