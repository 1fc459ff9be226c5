/** Routes to other servers in maitred.toml, beside an app, in the real program: TCP, a Unix socket, https, a body from a file. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from "node:http";
import { connect } from "node:http2";
import { createServer as createSecureServer } from "node:https";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { Browser } from "../support/browser.ts";
import { authority, serverIdentity } from "../support/certificates.ts";
import { command } from "../support/command.ts";
import { type Maitred, runMaitred, startMaitred } from "../support/maitred.ts";
import { temporaryFolder, testApps } from "../support/places.ts";
import { RawUpstream } from "../support/raw-upstream.ts";

/** What an upstream saw. */
interface Seen {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly bytes: number;
  readonly hash: string;
}

/** Says what it was asked. */
const telling: RequestListener = (request: IncomingMessage, response: ServerResponse) => {
  const hash = createHash("sha256");
  let bytes = 0;
  request.on("data", (chunk: Buffer) => {
    bytes += chunk.length;
    hash.update(chunk);
  });
  request.on("end", () => {
    const { url, headers } = request;
    response.setHeader("Content-Type", "application/json");
    response.end(JSON.stringify({ url, headers, bytes, hash: hash.digest("hex") }));
  });
};

async function listening(server: Server, at: number | string): Promise<number> {
  if (typeof at === "number") server.listen(at, "127.0.0.1");
  else server.listen(at);
  await new Promise((resolve) => server.once("listening", resolve));
  const address = server.address();
  return typeof address === "string" ? 0 : (address as AddressInfo).port;
}

suite("routes to other servers", () => {
  const folder = temporaryFolder();
  const plain = createServer(telling);
  const onSocket = createServer(telling);
  const { cert, key } = serverIdentity("inner.example");
  const secure = createSecureServer({ cert, key }, telling);
  const servers = [plain, onSocket, secure];
  let late: RawUpstream;
  let maitred: Maitred;
  let browser: Browser;

  before(async () => {
    const plainPort = await listening(plain, 0);
    late = await RawUpstream.open();
    await listening(onSocket, join(folder, "app.sock"));
    const securePort = await listening(secure, 0);
    writeFileSync(join(folder, "ca.pem"), authority.cert);
    writeFileSync(
      join(folder, "maitred.toml"),
      `app = "wsgi_app:application"
bind = "127.0.0.1:0"
chdir = "${testApps}"
workers = 1
body-memory = "64k"

[[route]]
path = "/plain"
upstream = "http://127.0.0.1:${plainPort}"

[[route]]
path = "/api"
request-buffering = "on"
upstream = { url = "http://127.0.0.1:${plainPort}/base", strip-prefix = "/api", host = "upstream" }

[[route]]
path = "/socket"
upstream = "unix:${folder}/app.sock"

[[route]]
path = "/secure"
upstream = { url = "https://127.0.0.1:${securePort}", tls = { ca = "${folder}/ca.pem", server-name = "inner.example" } }

[[route]]
path = "/wrong-name"
upstream = { url = "https://127.0.0.1:${securePort}", tls = { ca = "${folder}/ca.pem", server-name = "other.example" } }

[[route]]
path = "/untrusted"
upstream = "https://127.0.0.1:${securePort}"

[[route]]
path = "/unverified"
upstream = { url = "https://127.0.0.1:${securePort}", tls = { verify = false } }

[[route]]
path = "/late"
timeout = "200ms"
request-id = true
upstream = "${late.url}"

[[route]]
path = "/nobody"
upstream = "unix:${folder}/nobody.sock"
`,
    );
    maitred = await startMaitred(["-c", join(folder, "maitred.toml"), "--access-logfile", "-"]);
    browser = new Browser(maitred.port);
  });

  after(async () => {
    browser.close();
    assert.equal((await maitred.stop()).code, 0);
    for (const server of servers) {
      server.closeAllConnections();
      server.close();
    }
  });

  async function seen(path: string, ask: Parameters<Browser["ask"]>[1] = {}): Promise<Seen> {
    const page = await browser.ask(path, ask);
    assert.equal(page.status, 200, page.text);
    return JSON.parse(page.text) as Seen;
  }

  test("the app has its paths, the upstream its own", async () => {
    assert.equal((await browser.get("/")).text, "hello");
    const { url, headers } = await seen("/plain/a%20b?c=d", { headers: { host: "www.example.com" } });
    assert.equal(url, "/plain/a%20b?c=d");
    assert.equal(headers["host"], "www.example.com");
    assert.equal(headers["x-forwarded-for"], "127.0.0.1");
    assert.deepEqual([headers["x-forwarded-proto"], headers["via"]], ["http", "1.1 maitred"]);
  });

  test("a trusted proxy's word about the client goes on, followed by the proxy", async () => {
    const { headers } = await seen("/plain", {
      headers: { "x-forwarded-for": "192.0.2.7", "x-forwarded-proto": "https" },
    });
    assert.deepEqual([headers["x-forwarded-for"], headers["x-forwarded-proto"]], ["192.0.2.7, 127.0.0.1", "https"]);
  });

  test("a prefix is taken away, and the upstream's own path and host stand in front", async () => {
    const { url, headers } = await seen("/api/v1?x");
    assert.equal(url, "/base/v1?x");
    assert.match(headers["host"]!, /^127\.0\.0\.1:\d+$/);
    assert.equal(headers["x-forwarded-prefix"], "/api");
  });

  test("a body that is too large for memory comes whole, from its file", async () => {
    const body = Buffer.alloc(1_000_000, "0123456789");
    const { bytes, hash, headers } = await seen("/api/upload", { method: "POST", body });
    assert.equal(bytes, body.length);
    assert.equal(hash, createHash("sha256").update(body).digest("hex"));
    assert.equal(headers["content-length"], String(body.length));
  });

  test("one of unknown length that waited in a file has its length by then", async () => {
    const chunks = Array.from({ length: 10 }, () => Buffer.alloc(20_000, "x"));
    const { bytes, headers } = await seen("/api/upload", { method: "PUT", chunks });
    assert.deepEqual([bytes, headers["content-length"], headers["transfer-encoding"]], [200_000, "200000", undefined]);
  });

  test("an upstream on a Unix socket", async () => {
    assert.equal((await seen("/socket/a")).url, "/socket/a");
  });

  test("an upstream behind TLS must be who it should", async () => {
    // A client's Host is no reason to ask for another certificate.
    assert.equal((await seen("/secure/a", { headers: { host: "evil.example" } })).headers["host"], "evil.example");
    assert.equal((await seen("/unverified")).url, "/unverified");
    assert.equal((await browser.get("/wrong-name")).status, 502);
    assert.equal((await browser.get("/untrusted")).status, 502);
    await maitred.waitForLine(/GET \/wrong-name: upstream https:\S+: .*altnames.*; answered 502/);
    await maitred.waitForLine(/GET \/untrusted: upstream https:\S+: .*certificate.*; answered 502/);
  });

  test("an upstream that is not there is 502, and the log says which and why", async () => {
    assert.equal((await browser.get("/nobody")).status, 502);
    await maitred.waitForLine(/GET \/nobody: upstream unix:\S+nobody\.sock: its socket does not exist; answered 502/);
    await maitred.waitForLine(/"GET \/nobody HTTP\/1\.1" 502/);
  });

  test("the route's own limit of time ends a request that is not answered, and the log says its id", async () => {
    const page = await browser.get("/late");
    assert.equal(page.status, 504);
    const id = String(page.headers["x-request-id"]);
    const [, said] = await maitred.waitForLine(
      /GET \/late \[(\S+)\]: upstream \S+: no response within 0\.2 s \(timeout\); answered 504/,
    );
    assert.equal(said, id);
    const behind = await late.connection();
    assert.match(await behind.head(), new RegExp(`X-Request-ID: ${id}`, "i"));
    await behind.closed();
  });

  test("the status shows each upstream with its connections", async () => {
    await browser.get("/plain");
    const { stdout } = await command(["status", "--pid", String(maitred.pid)]);
    assert.match(stdout, /upstream +http:\/\/127\.0\.0\.1:\d+: 0 connections busy, \d+ idle; 0 waiting/);
  });

  test("clients of HTTP/2 are served like others", async () => {
    const session = connect(maitred.base);
    const stream = session.request({ ":path": "/plain/h2", ":method": "POST" });
    stream.end("hello");
    let text = "";
    stream.setEncoding("utf8").on("data", (data: string) => (text += data));
    await new Promise((resolve) => stream.once("end", resolve));
    session.close();
    const { url, bytes, headers } = JSON.parse(text) as Seen;
    assert.deepEqual([url, bytes, headers["via"]], ["/plain/h2", 5, "2 maitred"]);
  });
});

test("a file of certificates that is not there is a mistake in the configuration", async () => {
  const folder = temporaryFolder();
  writeFileSync(
    join(folder, "maitred.toml"),
    `app = "wsgi_app:application"
bind = "127.0.0.1:0"
chdir = "${testApps}"
[[route]]
path = "/a"
upstream = { url = "https://127.0.0.1:1", tls = { ca = "/nowhere/ca.pem" } }
`,
  );
  const ended = await runMaitred(["-c", join(folder, "maitred.toml")]);
  assert.notEqual(ended.code, 0);
  assert.match(ended.stderr, /maitred\.toml:6: upstream\.tls\.ca: there is no file \/nowhere\/ca\.pem/);
});
