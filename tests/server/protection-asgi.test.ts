/** Who may come to an ASGI app, its WebSockets and streamed bodies included; and configurations that would protect nothing. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, suite, test } from "node:test";

import { Browser, type Page } from "../support/browser.ts";
import { type Maitred, runMaitred } from "../support/maitred.ts";
import { ALICE, Place, SHA512, type Told, told } from "../support/protected.ts";
import { RawClient } from "../support/raw-client.ts";
import { handshake, WebSocketClient } from "../support/web-socket-client.ts";

suite("an ASGI app", () => {
  const place = new Place();
  let server: Maitred;
  let browser: Browser;

  /** Another server that decides; it tells what it was asked. */
  const asked: string[] = [];
  const decider = createServer((request, response) => {
    const { authorization, "content-length": length, "x-original-uri": uri } = request.headers;
    asked.push(`${request.method} ${request.url} about ${String(uri)} with ${length ?? "no"} bytes`);
    response.writeHead(authorization === "Bearer good" ? 200 : 403, { "x-user": "erin" }).end("decided");
  });

  before(async () => {
    decider.listen(0, "127.0.0.1");
    await once(decider, "listening");
    place.write(
      "asgi",
      `
[[route]]
path = "/admin"
basic-auth = { users = { alice = "${SHA512}" } }

[[route]]
path = "/members"
auth-request = { path = "/auth", copy = ["X-Groups"], user = "X-User" }
rewrite = { strip-prefix = "/members" }

[[route]]
path = "/decider"
access = "deny all"
upstream = "http://127.0.0.1:${(decider.address() as AddressInfo).port}"

[[route]]
path = "/elsewhere"
auth-request = { path = "/decider/ask?x=1", copy = ["X-User"] }

[[route]]
path = "/one"
limits = { concurrent = 1 }

[[route]]
path = "/inside"
access = "deny all"
`,
    );
    server = await place.start();
    browser = new Browser(server.port);
  });
  after(async () => {
    browser.close();
    assert.deepEqual(await server.stop(), { code: 0, signal: null });
    decider.close();
  });

  test("is told by a field who it is", async () => {
    const { fields } = told(await browser.get("/admin", { ...ALICE, "remote-user": "root" }));
    assert.equal(fields["remote-user"], "alice");
  });

  test("a streamed body waits for the decision, and is not lost", async () => {
    const chunks = Array.from({ length: 40 }, () => Buffer.alloc(65_536));
    const page = await browser.ask("/members/upload", { method: "POST", headers: { cookie: "session=carol" }, chunks });
    assert.equal(page.status, 200);
    assert.deepEqual(
      [told(page).body, told(page).path, told(page).fields["x-groups"]],
      [40 * 65_536, "/upload", "staff"],
    );
    // What is left of a body that nobody wants ends the connection past 1 MiB: one of its own.
    const stranger = new Browser(server.port);
    assert.equal((await stranger.ask("/members/upload", { method: "POST", chunks: chunks.slice(0, 4) })).status, 401);
    stranger.close();
  });

  test("another server decides, by a route that is for such questions alone", async () => {
    const ask = (token: string): Promise<Page> =>
      browser.ask("/elsewhere/a?b", { method: "POST", headers: { authorization: `Bearer ${token}` }, body: "hello" });
    assert.equal((await ask("bad")).status, 403);
    const page = told(await ask("good"));
    assert.deepEqual([page.body, page.fields["x-user"]], ["hello", "erin"]);
    const question = "GET /decider/ask?x=1 about /elsewhere/a?b with no bytes";
    assert.deepEqual(asked, [question, question]);
    assert.equal((await browser.get("/decider/ask")).status, 403);
    assert.equal(asked.length, 2);
  });

  test("WebSockets pass the same", async () => {
    const refused = async (path: string, ...fields: string[]): Promise<number> => {
      const client = await RawClient.open(server.port);
      await client.send(handshake(path, ...fields));
      const { status } = await client.response();
      client.leave();
      return status;
    };
    assert.equal(await refused("/inside"), 403);
    assert.equal(await refused("/admin"), 401);
    assert.equal(await refused("/members"), 401);

    const admin = await WebSocketClient.open(server.port, "/admin", [`Authorization: ${ALICE["authorization"]!}`]);
    const said = JSON.parse((await admin.next()).payload.toString()) as Told;
    assert.equal(said.fields["remote-user"], "alice");
    admin.raw.leave();

    const member = await WebSocketClient.open(server.port, "/members/chat", ["Cookie: session=carol"]);
    const heard = JSON.parse((await member.next()).payload.toString()) as Told;
    assert.deepEqual([heard.path, heard.fields["x-groups"]], ["/chat", "staff"]);
    member.raw.leave();
  });

  test("an open WebSocket has its place until it is over", async () => {
    const first = await WebSocketClient.open(server.port, "/one");
    await first.next();
    const second = await RawClient.open(server.port);
    await second.send(handshake("/one"));
    assert.equal((await second.response()).status, 429);
    second.leave();
    await first.send(8, Buffer.from([0x03, 0xe8]));
    await first.closed();
    for (;;) {
      // The worker tells that it is over a moment after the client knows.
      const third = await RawClient.open(server.port);
      await third.send(handshake("/one"));
      const { status } = await third.response();
      third.leave();
      if (status === 101) break;
      assert.equal(status, 429);
    }
  });
});

suite("a configuration that would not protect", () => {
  test("does not start, and says what is wrong where", async () => {
    const place = new Place();
    place.write(
      "wsgi",
      `
[[route]]
path = "/a"
limits = { rate = "often" }

[[route]]
path = "/b"
basic-auth = { users = { alice = "secret" } }
cors = { origins = "*", credentials = true }

[[route]]
path = "/c"
access = ["allow example.com"]
headers = { set = { Content-Length = "1" } }
`,
    );
    const { code, stderr } = await runMaitred(["--config", place.file]);
    assert.notEqual(code, 0);
    for (const sentence of [
      /maitred\.toml:8: .*"often" is not a rate: write requests and a time/,
      /maitred\.toml:12: .*is no hash of a password: make one with "maitred password"/,
      /maitred\.toml:13: .*credentials together with the origin/,
      /maitred\.toml:17: .*example\.com is neither an IP address/,
      /maitred\.toml:18: .*the server's own business/,
    ])
      assert.match(stderr, sentence);
    assert.doesNotMatch(stderr, /secret/, "what may be a password is not repeated");
  });
});
