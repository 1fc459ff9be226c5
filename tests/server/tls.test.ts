/** TLS as clients meet it: versions, names, client certificates, resumption, what comes without TLS, and the addresses beside it. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { promisify } from "node:util";

import { authority, identity, serverIdentity, writeIdentity } from "../support/certificates.ts";
import { Browser } from "../support/browser.ts";
import { Gates } from "../support/gates.ts";
import { type Maitred, startMaitred } from "../support/maitred.ts";
import { examplesPython, temporaryFolder, testApps } from "../support/places.ts";
import { exchangeRaw, RawClient } from "../support/raw-client.ts";
import { SecureClient, secureGet } from "../support/secure-client.ts";

const run = promisify(execFile);
const folder = temporaryFolder();
const caFile = join(folder, "ca.pem");
writeFileSync(caFile, authority.cert);
const APP = ["-w", "1", "--chdir", testApps, "wsgi_app:application"];

const ADDRESSES =
  "-b 127.0.0.1:0 -b http://127.0.0.1:0 --redirect-http 127.0.0.1:0 --hsts 365d;includeSubDomains --tls-handshake-timeout 700ms".split(
    " ",
  );
const mutual = (requirement: string): readonly string[] =>
  `-b 127.0.0.1:0 --cert-reqs ${requirement} --ca-certs ${caFile}`.split(" ");

/** `Listening at` and `Redirecting` addresses, by their order. */
const portOf = (address: string): number => Number(new URL(address).port);

describe("an address with certificates", () => {
  let server: Maitred;
  let redirectPort = 0;
  const gates = new Gates();

  before(async () => {
    server = await startMaitred(
      [
        ...writeIdentity(folder, serverIdentity("localhost"), "first"),
        ...writeIdentity(folder, serverIdentity("shop.test"), "shop"),
        ...writeIdentity(folder, serverIdentity("*.shop.test"), "wild"),
        ...writeIdentity(folder, serverIdentity("api.shop.test"), "api"),
        ...ADDRESSES,
        ...APP,
      ],
      { env: gates.env },
    );
    redirectPort = Number((await server.waitForLine(/Redirecting to https at: http:\/\/127\.0\.0\.1:(\d+)/))[1]);
  });
  after(() => server.stop());

  test("says https, in the log and to the application", async () => {
    assert.match(server.addresses[0]!, /^https:\/\/127\.0\.0\.1:\d+$/);
    assert.equal((await secureGet(server.port, "/scheme")).body, "https");
  });

  test("serves TLS 1.2 and 1.3, by suites with forward secrecy", async () => {
    for (const [version, suite] of [
      ["TLSv1.2", /^ECDHE-ECDSA-.*(GCM|POLY1305)/],
      ["TLSv1.3", /^TLS_/],
    ] as const) {
      const client = await SecureClient.open(server.port, { minVersion: version, maxVersion: version });
      assert.equal(client.socket.getProtocol(), version);
      assert.match(client.socket.getCipher().name, suite);
      assert.equal((await client.get("/")).body, "hello");
      client.close();
    }
  });

  test("refuses TLS 1.1, and tells why", async () => {
    const old = { minVersion: "TLSv1.1", maxVersion: "TLSv1.1", ciphers: "DEFAULT@SECLEVEL=0" } as const;
    await assert.rejects(SecureClient.open(server.port, old), /protocol version/);
    await server.waitForLine(/TLS handshake with 127\.0\.0\.1 failed: the client speaks no version from TLSv1\.2 on/);
  });

  test("chooses the certificate by the name that is asked for", async () => {
    for (const [servername, names] of [
      ["localhost", "DNS:localhost"],
      ["shop.test", "DNS:shop.test"],
      ["API.shop.test", "DNS:api.shop.test"],
      ["www.shop.test", "DNS:*.shop.test"],
    ] as const) {
      const { names: served } = await secureGet(server.port, "/", { servername });
      assert.equal(served, `${names}, IP Address:127.0.0.1`, servername);
    }
    for (const servername of ["elsewhere.test", "a.b.shop.test", ""]) {
      const { names } = await secureGet(server.port, "/", { servername, checkServerIdentity: () => undefined });
      assert.match(names, /^DNS:localhost/, servername);
    }
  });

  test("speaks http/1.1 by ALPN, and to those without ALPN", async () => {
    const client = await SecureClient.open(server.port, { ALPNProtocols: ["spdy/3", "http/1.1"] });
    assert.equal(client.socket.alpnProtocol, "http/1.1");
    client.close();
    await assert.rejects(
      SecureClient.open(server.port, { ALPNProtocols: ["spdy/3"] }),
      /no application protocol|ECONNRESET/i,
    );
  });

  for (const version of ["TLSv1.2", "TLSv1.3"] as const) {
    test(`resumes a session of ${version} on a new connection`, async () => {
      const options = { minVersion: version, maxVersion: version } as const;
      const { client } = await secureGet(server.port, "/", options);
      assert.ok(client.session !== null, "no ticket came");
      const again = await SecureClient.open(server.port, { ...options, session: client.session });
      assert.equal(again.socket.isSessionReused(), true);
      assert.equal((await again.get("/scheme")).body, "https");
      again.close();
    });
  }

  test("sends Strict-Transport-Security over https only, the application's own going first", async () => {
    const field = /^strict-transport-security: (.*)$/gim;
    const values = (head: string): string[] => [...head.matchAll(field)].map((match) => match[1]!.trim());
    assert.deepEqual(values((await secureGet(server.port, "/")).head), ["max-age=31536000; includeSubDomains"]);
    assert.deepEqual(values((await secureGet(server.port, "/hsts")).head), ["max-age=1"]);
    const plain = await exchangeRaw(
      portOf(server.addresses[1]!),
      "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n",
    );
    assert.deepEqual(values(plain), []);
  });

  test("answers plain HTTP with a readable 400", async () => {
    const answer = await exchangeRaw(server.port, "GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    assert.match(answer, /^HTTP\/1\.1 400 Bad Request\r\n[^]*this port speaks https/);
    await server.waitForLine(/failed: plain HTTP on a TLS address, answered with 400/);
  });

  test("closes on what is neither, and on a broken handshake", async () => {
    assert.equal(await exchangeRaw(server.port, "\0\x01\x02\x03 what is this"), "");
    await server.waitForLine(/TLS handshake with 127\.0\.0\.1 failed: not TLS/);
    const answer = await exchangeRaw(server.port, `\x16\x03\x01\x00\x40${"\xff".repeat(64)}`);
    assert.equal(answer.charCodeAt(0), 0x15, "an alert");
  });

  test("closes a handshake that takes too long, and names the limit", async () => {
    const silent = await RawClient.open(server.port);
    const halting = await RawClient.open(server.port);
    await halting.send("\x16\x03\x01");
    assert.deepEqual(await Promise.all([silent.rest(), halting.rest()]), ["", ""]);
    const line = /TLS handshake with 127\.0\.0\.1 failed: not finished within 0\.7 s \(--tls-handshake-timeout\)/;
    await server.waitForLine(line);
    assert.equal(server.stderr().match(new RegExp(line.source, "g"))?.length, 2, server.stderr());
  });

  test("hears at once of a client that leaves in the middle", async () => {
    const client = await RawClient.open(server.port);
    await client.send("\x16\x03\x01");
    const leaving = performance.now();
    client.socket.end();
    assert.equal(await client.rest(), "");
    assert.ok(performance.now() - leaving < 400, "it was the time limit that closed it");
  });

  test("takes a hello that comes byte by byte", async () => {
    const { stdout } = await run(
      examplesPython(),
      [
        "-c",
        `
import socket, ssl, sys
context = ssl.create_default_context(cafile=sys.argv[2])
incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
tls = context.wrap_bio(incoming, outgoing, server_hostname="localhost")
raw = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
def flush():
    for byte in outgoing.read():
        raw.send(bytes([byte]))
def more():
    incoming.write(raw.recv(65536))
while True:
    try:
        tls.do_handshake()
        break
    except ssl.SSLWantReadError:
        flush()
        more()
tls.write(b"GET /scheme HTTP/1.1\\r\\nHost: localhost\\r\\nConnection: close\\r\\n\\r\\n")
flush()
answer = b""
while not answer.endswith(b"https"):
    try:
        answer += tls.read(65536)
    except ssl.SSLWantReadError:
        more()
print(answer.decode())
`,
        String(server.port),
        caFile,
      ],
      { timeout: 20_000 },
    );
    assert.match(stdout, /^HTTP\/1\.1 200 OK[^]*https/);
  });

  test("carries a long body both ways, for curl", async () => {
    const file = join(folder, "long");
    writeFileSync(file, "x".repeat(5_000_000));
    const url = `https://localhost:${server.port}/echo`;
    const { stdout } = await run("curl", ["-sS", "--cacert", caFile, "--data-binary", `@${file}`, url], {
      maxBuffer: 10_000_000,
      timeout: 20_000,
    });
    assert.equal(stdout, "x".repeat(5_000_000));
  });

  test("answers who has only finished speaking", async () => {
    const client = await SecureClient.open(server.port, { allowHalfOpen: true });
    const answer = client.get("/hold?name=half");
    client.socket.end();
    await server.waitForLine(/holding half/);
    gates.open("half");
    assert.match((await answer).body, /^held half/);
    client.close();
  });

  test("survives damaged records, and resets, after the handshake", async () => {
    for (const spoil of [
      (raw: Socket) => raw.write(Buffer.from(`\x17\x03\x03\x00\x20${"\xaa".repeat(32)}`, "latin1")),
      (raw: Socket) => raw.write("GET / HTTP/1.1\r\n\r\n"),
      (raw: Socket) => raw.resetAndDestroy(),
    ]) {
      const raw = connect(server.port, "127.0.0.1");
      await once(raw, "connect");
      const client = await SecureClient.open(0, { socket: raw });
      await client.get("/");
      client.socket.write(`POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\n1234`);
      const closed = new Promise((resolve) => client.socket.once("close", resolve));
      spoil(raw);
      await closed;
    }
    assert.equal((await secureGet(server.port, "/")).body, "hello");
  });

  test("answers pipelined requests, and a slow reader of much", async () => {
    const client = await SecureClient.open(server.port);
    let text = "";
    client.socket.on("data", (piece: string) => (text += piece));
    const closed = new Promise((resolve) => client.socket.once("end", resolve));
    const body = "y".repeat(600_000);
    const echo = `POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
    client.socket.write("GET /scheme HTTP/1.1\r\nHost: h\r\n\r\n".repeat(50) + echo.repeat(3));
    client.socket.pause();
    await server.waitForLine(/TLS handshake/);
    client.socket.write("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
    client.socket.resume();
    await closed;
    assert.equal(text.match(/\r\n\r\nhttps/g)?.length, 50);
    assert.equal(text.match(/y{600000}/g)?.length, 3);
    assert.match(text, /Connection: close\r\n\r\nhello$/);
  });

  test("stands beside a plain one", async () => {
    const browser = new Browser(portOf(server.addresses[1]!));
    assert.equal((await browser.get("/scheme")).text, "http");
    browser.close();
  });

  test("has a redirect to it, with 301 for GET and HEAD and 308 for the rest", async () => {
    const ask = async (line: string, host = "Shop.test:81"): Promise<string> =>
      exchangeRaw(redirectPort, `${line}\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
    const to = (host: string, path: string): RegExp =>
      new RegExp(`Location: https://${host}:${server.port}${path.replace("?", "\\?")}\r\n`, "i");
    const found = await ask("GET /a%20b/?c=d&e HTTP/1.1");
    assert.match(found, /^HTTP\/1\.1 301 /);
    assert.match(found, to("shop.test", "/a%20b/?c=d&e"));
    assert.match(await ask("HEAD / HTTP/1.1"), /^HTTP\/1\.1 301 [^]*\r\n\r\n$/);
    assert.match(await ask("DELETE /x HTTP/1.1"), /^HTTP\/1\.1 308 /);
    assert.match(await ask("GET //evil.test/ HTTP/1.1"), to("shop.test", "//evil.test/"));
    assert.match(await ask("GET / HTTP/1.1", "[::1]:80"), to("\\[::1\\]", "/"));
    assert.match(await exchangeRaw(redirectPort, "GET / HTTP/1.0\r\n\r\n"), /^HTTP\/1\.1 400 /);
    assert.match(await ask("GET / HTTP/1.1", "a b"), /^HTTP\/1\.1 400 /);
    const posted = await exchangeRaw(
      redirectPort,
      "POST /form HTTP/1.1\r\nHost: shop.test\r\nContent-Length: 3\r\nConnection: close\r\n\r\na=b",
    );
    assert.match(posted, /^HTTP\/1\.1 308 /);
  });
});

test("TLS begins behind a PROXY protocol header", async () => {
  const server = await startMaitred([
    ...writeIdentity(folder, serverIdentity("localhost"), "proxied"),
    ..."-b 127.0.0.1:0 --proxy-protocol v1 --tls-handshake-timeout 700ms".split(" "),
    ...APP,
  ]);
  const raw = connect(server.port, "127.0.0.1");
  await once(raw, "connect");
  raw.write("PROXY TCP4 192.0.2.7 198.51.100.1 4711 443\r\n");
  const client = await SecureClient.open(0, { socket: raw });
  assert.match((await client.get("/remote")).body, /^'192\.0\.2\.7'/);
  assert.equal((await client.get("/scheme")).body, "https");
  client.close();
  const plain = await exchangeRaw(server.port, "PROXY TCP4 192.0.2.9 198.51.100.1 4711 443\r\nGET / HTTP/1.1\r\n\r\n");
  assert.match(plain, /this port speaks https/);
  await server.waitForLine(/TLS handshake with 192\.0\.2\.9 failed: plain HTTP/);
  await server.stop();
});

test("a stop closes idle connections with TLS's goodbye, and lets busy ones finish", async () => {
  const gates = new Gates();
  const args = [...writeIdentity(folder, serverIdentity("localhost"), "stopped"), "-b", "127.0.0.1:0", ...APP];
  const server = await startMaitred(args, { env: gates.env });
  const idle = await SecureClient.open(server.port, { allowHalfOpen: false });
  await idle.get("/");
  const busy = await SecureClient.open(server.port);
  const answer = busy.get("/hold?name=last");
  await server.waitForLine(/holding last/);
  const goodbye = once(idle.socket, "end");
  const stopped = server.stop();
  await goodbye;
  gates.open("last");
  assert.match((await answer).body, /^held last/);
  assert.deepEqual(await stopped, { code: 0, signal: null });
});

describe("client certificates", () => {
  const known = identity("a known client", { by: authority, hosts: [] });
  const stranger = identity("a stranger");
  const start = (requirement: string): Promise<Maitred> =>
    startMaitred([
      ...writeIdentity(folder, serverIdentity("localhost"), `mutual${requirement}`),
      ...mutual(requirement),
      ...APP,
    ]);

  test("required: only who has one that is believed gets in", async () => {
    const server = await start("2");
    assert.equal((await secureGet(server.port, "/", { cert: known.cert, key: known.key })).body, "hello");
    await assert.rejects(secureGet(server.port, "/"), /certificate required|closed|ECONNRESET/i);
    await server.waitForLine(/TLS handshake with .* failed: the client sent no certificate \(--cert-reqs required\)/);
    await assert.rejects(secureGet(server.port, "/", { cert: stranger.cert, key: stranger.key }));
    await server.waitForLine(
      /failed: the client's certificate is not believed \(.*SELF_SIGNED.*; --cert-reqs required\)/,
    );
    // A resumed session still knows who it was.
    const { client } = await secureGet(server.port, "/", { cert: known.cert, key: known.key });
    const again = await SecureClient.open(server.port, { session: client.session! });
    assert.equal(again.socket.isSessionReused(), true);
    assert.equal((await again.get("/")).body, "hello");
    again.close();
    await server.stop();
  });

  test("optional: everyone gets in, and the application hears what is wrong with whom", async () => {
    const server = await startMaitred([
      ...writeIdentity(folder, serverIdentity("localhost"), "optional"),
      ...mutual("optional"),
      "--chdir",
      testApps,
      "asgi_app:application",
    ]);
    const seen: Record<string, unknown>[] = [];
    for (const client of [known, stranger, null]) {
      const options = client === null ? {} : { cert: client.cert, key: client.key };
      seen.push(JSON.parse((await secureGet(server.port, "/tls", options)).body) as Record<string, unknown>);
    }
    const agreed = { server_cert: null, tls_version: 0x0304, cipher_suite: seen[0]!["cipher_suite"] };
    assert.match(String(agreed.cipher_suite), /^486[567]$/);
    const of = (chain: readonly string[], name: string | null, error: string | null): Record<string, unknown> => ({
      ...agreed,
      client_cert_chain: chain,
      client_cert_name: name,
      client_cert_error: error,
    });
    const pem = (text: string): string => text.replace(/\n*$/, "\n");
    assert.deepEqual(seen, [
      of([pem(known.cert), pem(authority.cert)], "CN=a known client", null),
      of([pem(stranger.cert)], "CN=a stranger", "DEPTH_ZERO_SELF_SIGNED_CERT"),
      of([], null, null),
    ]);
    await server.stop();
  });
});
