/** TLS sessions and what they carry: resumption beside several certificates, renegotiation, connections that outlive a certificate, and whose certificate the application hears of. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { connect as connectHttp2 } from "node:http2";
import { request, type RequestOptions } from "node:https";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";

import { authority, identity, type Identity, serverIdentity, writeIdentity } from "../support/certificates.ts";
import { startMaitred, type Maitred } from "../support/maitred.ts";
import { temporaryFolder, testApps } from "../support/places.ts";
import { SecureClient, secureGet } from "../support/secure-client.ts";

const APP = ["-w", "1", "-b", "127.0.0.1:0", "--chdir", testApps];

suite("sessions beside several certificates", () => {
  const folder = temporaryFolder();
  let server: Maitred;
  before(async () => {
    server = await startMaitred([
      ...writeIdentity(folder, serverIdentity("localhost"), "first"),
      ...writeIdentity(folder, serverIdentity("shop.test"), "shop"),
      ...writeIdentity(folder, serverIdentity("*.shop.test"), "wild"),
      ...APP,
      "wsgi_app:application",
    ]);
  });
  after(() => server.stop());

  for (const version of ["TLSv1.2", "TLSv1.3"] as const) {
    test(`are resumed under each name, with ${version}`, async () => {
      for (const servername of ["localhost", "shop.test", "www.shop.test"]) {
        const options = { servername, minVersion: version, maxVersion: version };
        const { client, names } = await secureGet(server.port, "/", options);
        assert.match(names, servername === "www.shop.test" ? /DNS:\*\.shop\.test/ : new RegExp(`DNS:${servername}`));
        const again = await SecureClient.open(server.port, { ...options, session: client.session! });
        assert.equal(again.socket.isSessionReused(), true, servername);
        assert.equal((await again.get("/scheme")).body, "https");
        again.close();
      }
    });
  }

  test("renegotiation is refused, and the server goes on", async () => {
    const client = await SecureClient.open(server.port, { minVersion: "TLSv1.2", maxVersion: "TLSv1.2" });
    assert.equal((await client.get("/")).body, "hello");
    const refused = Promise.race([
      new Promise<unknown>((resolve) => client.socket.renegotiate({ rejectUnauthorized: false }, resolve)),
      once(client.socket, "error").then(([error]) => error as unknown),
    ]);
    assert.match(String(await refused), /NO_RENEGOTIATION|no renegotiation/i);
    client.close();
    assert.equal((await secureGet(server.port, "/")).body, "hello");
  });
});

test("an open HTTP/2 connection outlives its certificate, streams in flight included", async () => {
  const folder = temporaryFolder();
  const marked = (mark: string): Identity => serverIdentity("localhost", { hosts: ["localhost", `${mark}.test`] });
  const server = await startMaitred([...writeIdentity(folder, marked("one")), ...APP, "asgi_app:application"]);
  const client = connectHttp2(`https://localhost:${server.port}`, { ca: authority.cert });
  const ask = (path: string): ReturnType<typeof client.request> => client.request({ ":path": path, ":method": "POST" });
  const upload = ask("/echo");
  upload.write("begun ");
  writeIdentity(folder, marked("two"));
  await server.waitForLine(/TLS certificates reloaded .*two\.test/);
  assert.match((await secureGet(server.port, "/")).names, /two\.test/);
  let text = "";
  upload.setEncoding("latin1").on("data", (data: string) => (text += data));
  upload.end("and ended");
  await once(upload, "close");
  assert.equal(text, "begun and ended");
  client.close();
  await server.stop();
});

suite("a client's certificate in a WSGI environ", () => {
  const folder = temporaryFolder();
  const caFile = join(folder, "ca.pem");
  const optional = ["--cert-reqs", "optional", "--ca-certs", caFile];
  writeFileSync(caFile, authority.cert);
  const known = identity("a known client", { by: authority, hosts: [] });
  const stranger = identity("a stranger");
  const pem = ({ cert }: Identity): string => cert.replace(/\n*$/, "\n");
  let server: Maitred;
  before(async () => {
    server = await startMaitred([
      ...writeIdentity(folder, serverIdentity("localhost")),
      ...optional,
      ...APP,
      "attacked:application",
    ]);
  });
  after(() => server.stop());

  /** What the environ says about TLS. */
  async function told(options: RequestOptions = {}): Promise<Record<string, string>> {
    const where = { host: "localhost", port: server.port, path: "/environ", ca: authority.cert, agent: false };
    const outgoing = request({ ...where, ...options }).end();
    const [response] = (await once(outgoing, "response")) as [AsyncIterable<Buffer>];
    let text = "";
    for await (const piece of response) text += piece.toString();
    return tlsOf(text);
  }
  const tlsOf = (text: string): Record<string, string> =>
    Object.fromEntries(
      Object.entries(JSON.parse(text) as Record<string, string>).filter(([name]) => /SSL|^HTTPS$/.test(name)),
    );
  const agreed = { HTTPS: "on", SSL_PROTOCOL: "TLSv1.3", SSL_TLS_SNI: "localhost" };

  test("is what the handshake says of it", async () => {
    const { SSL_CIPHER: cipher, ...none } = await told();
    assert.match(String(cipher), /^TLS_(AES|CHACHA20)_/);
    assert.deepEqual(none, { ...agreed, SSL_CLIENT_VERIFY: "NONE" });
    assert.deepEqual(await told({ cert: known.cert, key: known.key }), {
      ...agreed,
      SSL_CIPHER: cipher,
      SSL_CLIENT_VERIFY: "SUCCESS",
      SSL_CLIENT_S_DN: "CN=a known client",
      SSL_CLIENT_CERT: pem(known),
    });
    const doubted = await told({ cert: stranger.cert, key: stranger.key });
    assert.equal(doubted["SSL_CLIENT_VERIFY"], "FAILED:DEPTH_ZERO_SELF_SIGNED_CERT");
    assert.equal(doubted["SSL_CLIENT_S_DN"], "CN=a stranger");
  });

  test("is nothing that a header field can say", async () => {
    const headers = { SSL_CLIENT_VERIFY: "SUCCESS", "SSL-Client-Verify": "SUCCESS", HTTPS: "off" };
    const { SSL_CLIENT_VERIFY: verified, HTTPS: https, HTTP_SSL_CLIENT_VERIFY: field } = await told({ headers });
    assert.deepEqual([verified, https, field], ["NONE", "on", "SUCCESS"]);
  });

  test("is told over HTTP/2 too", async () => {
    const client = connectHttp2(`https://localhost:${server.port}`, {
      ca: authority.cert,
      cert: known.cert,
      key: known.key,
    });
    const stream = client.request({ ":path": "/environ" });
    let text = "";
    stream.setEncoding("latin1").on("data", (data: string) => (text += data));
    await once(stream, "close");
    assert.equal(tlsOf(text)["SSL_CLIENT_S_DN"], "CN=a known client");
    client.close();
  });
});
