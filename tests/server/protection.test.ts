/** Who may come, how often, and what header fields say: over real sockets, by a configuration file. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { connect, constants, type IncomingHttpHeaders } from "node:http2";
import { after, before, suite, test } from "node:test";

import { Browser, type Page } from "../support/browser.ts";
import { Gates } from "../support/gates.ts";
import type { Maitred } from "../support/maitred.ts";
import { ALICE, APR1, basic, BOB, Place, SHA512, told } from "../support/protected.ts";
import { RawClient } from "../support/raw-client.ts";

suite("a WSGI app", () => {
  const place = new Place();
  const gates = new Gates();
  let server: Maitred;
  let browser: Browser;
  const get = (url: string, headers: Readonly<Record<string, string>> = {}): Promise<Page> =>
    browser.ask(url, { headers, follow: false });

  before(async () => {
    writeFileSync(place.users, `# staff\nalice:${SHA512}\nbob:${APR1}\n`);
    writeFileSync(place.page, "<h1>who are you?</h1>");
    place.write(
      "wsgi",
      `
threads = 4
access-logfile = "-"
access-logformat = '%(u)s %(U)s %(s)s %({x-request-id}i)s'
request-id = true

[[route]]
path = "/login"
limits = { name = "login", rate = "2/m", burst = 1, nodelay = true }

[[route]]
path = "/login-too"
limits = { name = "login", rate = "2/m", burst = 1, nodelay = true }

[[route]]
path = "/once"
limits = { rate = "1/h" }

[[route]]
path = "/slow"
limits = { rate = "5/s", burst = 10 }

[[route]]
path = "/slower"
limits = { rate = "1/h", burst = 10 }

[[route]]
path = "/hold"
limits = { concurrent = 2, announce = true }

[[route]]
path = "/inside"
access = ["allow 10.0.0.0/8", "deny all"]

[[route]]
path = "/admin"
basic-auth = { realm = "Staff", file = "${place.users}" }

[[route]]
path = "/members"
auth-request = { path = "/auth", copy = ["X-Groups"], user = "X-User", copy-back = ["Set-Cookie"] }

[[route]]
path = "/get-only"
allow-methods = ["GET"]

[[route]]
path = "/dressed"
headers = { preset = "secure", remove = ["X-Powered-By"], set = { X-One = "1" } }
request-headers = { set = { X-Tenant = "blue" }, remove = ["X-Debug"] }

[[route]]
path = "/api"
cors = { origins = ["https://app.example.com"], credentials = true, methods = ["PUT"], headers = ["X-Token"] }
rewrite = { strip-prefix = "/api", add-prefix = "/v1", replace = { pattern = "^/old/(\\\\d+)$", to = "/new?id=$1" } }

[[route]]
path = "/shared"
cache = true
auth-request = { path = "/auth", user = "X-User" }
rewrite = { replace = { pattern = "^/shared$", to = "/hold" } }

[[route]]
path = "/paged"
error-pages = { 401 = "${place.page}" }
basic-auth = { file = "${place.users}" }

[[site]]
hosts = ["example.com", "www.example.com"]
canonical = { host = "example.com" }
`,
    );
    server = await place.start(gates, "--forwarded-allow-ips", "none");
    browser = new Browser(server.port);
  });
  after(async () => {
    browser.close();
    assert.deepEqual(await server.stop(), { code: 0, signal: null });
  });

  test("a rate: 429 says when to come again; routes of one name share it; the log names it", async () => {
    assert.deepEqual([(await get("/login")).status, (await get("/login-too")).status], [200, 200]);
    const refused = await get("/login");
    assert.equal(refused.status, 429);
    assert.ok(Number(refused.headers["retry-after"]) > 0);
    assert.equal(refused.headers["ratelimit-policy"], '"login";q=2;w=60');
    assert.match(String(refused.headers["ratelimit"]), /^"login";r=0;t=\d+$/);
    await server.waitForLine(
      /Limit login of \/login \(\S+maitred\.toml:\d+\) \(2\/m, burst 1\): 1 request answered 429, the last GET from 127\.0\.0\.1/,
    );
  });

  test("requests that wait for their turn are answered, and one after the other", async () => {
    const started = performance.now();
    const pages = await Promise.all(Array.from({ length: 4 }, () => get("/slow")));
    assert.deepEqual(
      pages.map(({ status }) => status),
      [200, 200, 200, 200],
    );
    assert.ok(performance.now() - started >= 590, "three of them waited for 200 ms each");
  });

  test("a client that leaves while it waits never reaches the app", async () => {
    assert.equal((await get("/slower")).status, 200);
    const client = await RawClient.open(server.port);
    await client.send("GET /slower/left HTTP/1.1\r\nHost: x\r\n\r\n");
    // By its FIN: what is reset might never be accepted.
    client.leave();
    await server.waitForLine(/- \/slower\/left 499/);
    assert.doesNotMatch(server.stdout(), /\/slower\/left 200/);
  });

  test("so many at once: the place is free again when the answer is there, or the app has seen that its client left", async () => {
    const held = [get("/hold?a"), get("/hold?b")];
    await server.waitForLine(/holding a/);
    await server.waitForLine(/holding b/);
    const refused = await get("/hold?c");
    assert.deepEqual([refused.status, refused.headers["retry-after"]], [429, "1"]);
    gates.open("a", "b", "c");
    for (const page of held) assert.equal((await page).status, 200);
    assert.equal((await get("/hold?c")).status, 200);
  });

  test("addresses", async () => {
    assert.equal((await get("/inside")).status, 403);
    assert.equal(
      (await get("/inside", { "x-forwarded-for": "10.0.0.1" })).status,
      403,
      "nobody may say that for himself",
    );
  });

  test("name and password: REMOTE_USER and the access log know who it is", async () => {
    const refused = await get("/admin");
    assert.equal(refused.status, 401);
    assert.equal(refused.headers["www-authenticate"], 'Basic realm="Staff", charset="UTF-8"');
    for (const wrong of ["alice:wrong", "carol:open sesame"])
      assert.equal((await get("/admin", basic(wrong))).status, 401);
    for (const [name, credentials] of Object.entries({ alice: ALICE, bob: BOB })) {
      const page = told(await get("/admin", { ...credentials, "remote-user": "root" }));
      assert.deepEqual([page.user, page.type, page.fields["remote_user"]], [name, "Basic", name]);
    }
    await server.waitForLine(/^alice \/admin 200 /m);
    await server.waitForLine(/^bob \/admin 200 /m);
  });

  test("on routes without authentication nobody can pose as somebody", async () => {
    const page = told(await get("/open", { "remote-user": "root", remote_user: "root", "x-groups": "root" }));
    assert.deepEqual([page.user, page.fields["remote_user"], page.fields["x_groups"]], [null, undefined, undefined]);
  });

  test("another route decides: without the body, which is not lost", async () => {
    const refused = await get("/members/1");
    assert.deepEqual([refused.status, refused.headers["www-authenticate"]], [401, 'Cookie realm="login"']);
    assert.match(refused.text, /^401 Unauthorized/);
    const body = "x".repeat(200_000);
    const passed = await browser.ask("/members/2?q", {
      method: "POST",
      headers: { cookie: "session=carol", "x-groups": "root" },
      body,
    });
    const page = told(passed);
    assert.deepEqual(
      [page.method, page.path, page.user, page.type, page.fields["x_groups"]],
      ["POST", "/members/2", "carol", "auth-request", "staff"],
    );
    assert.equal(page.body, body);
    assert.deepEqual(passed.headers["set-cookie"], ["session=carol; HttpOnly"]);
    await server.waitForLine(/asked about POST \/members\/2\?q/);
  });

  test("the cache never gives one user's page to another, however close they ask", async () => {
    const first = get("/shared?shared", { cookie: "session=carol" });
    await server.waitForLine(/holding shared/);
    const second = get("/shared?shared", { cookie: "session=dave" });
    gates.open("shared");
    assert.deepEqual([told(await first).user, told(await second).user], ["carol", "dave"]);
  });

  test("a page of its own keeps the challenge, and the log knows who came in", async () => {
    const refused = await get("/paged");
    assert.deepEqual([refused.status, refused.text], [401, "<h1>who are you?</h1>"]);
    assert.match(String(refused.headers["www-authenticate"]), /^Basic realm=/);
    assert.equal(told(await get("/paged", ALICE)).user, "alice");
    await server.waitForLine(/^alice \/paged 200 /m);
  });

  test("the same over HTTP/2", async () => {
    const session = connect(server.base);
    const ask = async (path: string, fields: object = {}): Promise<IncomingHttpHeaders> => {
      const stream = session.request({ ":path": path, ...fields });
      const [headers] = (await once(stream, "response")) as [IncomingHttpHeaders];
      stream.resume();
      await once(stream, "close");
      return headers;
    };
    const refused = await ask("/admin");
    assert.deepEqual([refused[":status"], refused["www-authenticate"]], [401, 'Basic realm="Staff", charset="UTF-8"']);
    assert.equal((await ask("/admin", ALICE))[":status"], 200);
    assert.equal((await ask("/members/3", { cookie: "session=carol" }))[":status"], 200);
    assert.equal((await ask("/get-only", { ":method": "DELETE" }))[":status"], 405);
    assert.equal((await ask("/inside"))[":status"], 403);
    const dressed = await ask("/dressed");
    assert.deepEqual([dressed["x-one"], dressed["x-content-type-options"]], ["1", "nosniff"]);
    // A stream that is reset while its request waits for its turn is taken out.
    const reset = session.request({ ":path": "/slower/reset" });
    reset.on("error", () => {});
    reset.close(constants.NGHTTP2_CANCEL);
    await server.waitForLine(/- \/slower\/reset 499/);
    session.close();
  });

  test("methods", async () => {
    const refused = await browser.ask("/get-only", { method: "POST", body: "x" });
    assert.deepEqual([refused.status, refused.headers["allow"]], [405, "GET, HEAD"]);
    assert.equal((await get("/get-only")).status, 200);
  });

  test("header fields of responses and requests", async () => {
    const page = await get("/dressed", { "x-debug": "1", "x-tenant": "red" });
    assert.deepEqual(
      ["x-powered-by", "x-one", "x-content-type-options", "x-frame-options", "cross-origin-opener-policy"].map(
        (name) => page.headers[name],
      ),
      [undefined, "1", "nosniff", "SAMEORIGIN", undefined],
    );
    const { fields } = told(page);
    assert.deepEqual([fields["x_tenant"], fields["x_debug"]], ["blue", undefined]);
  });

  test("pages of other origins, and another path for the app", async () => {
    const origin = { origin: "https://app.example.com" };
    const preflight = await browser.ask("/api/users", {
      method: "OPTIONS",
      headers: { ...origin, "access-control-request-method": "PUT", "access-control-request-headers": "x-token" },
    });
    assert.deepEqual(
      [preflight.status, preflight.headers["access-control-allow-methods"]],
      [204, "GET, HEAD, POST, PUT"],
    );
    const page = await get("/api/users%2F7?a=1", origin);
    assert.equal(page.headers["access-control-allow-origin"], "https://app.example.com");
    assert.equal(page.headers["vary"], "Origin");
    const { path, query, uri } = told(page);
    assert.deepEqual([path, query, uri], ["/v1/users/7", "a=1", "/api/users%2F7?a=1"]);
    assert.deepEqual(
      [told(await get("/api/old/12?b")).path, told(await get("/api/old/12?b")).query],
      ["/v1/new", "id=12&b"],
    );
    const other = await get("/api/x", { origin: "https://evil.example" });
    assert.equal(other.headers["access-control-allow-origin"], undefined);
  });

  test("one name", async () => {
    const page = await get("/a?b=c", { host: "www.example.com" });
    assert.deepEqual([page.status, page.headers["location"]], [308, "http://example.com/a?b=c"]);
    assert.equal((await get("/a", { host: "example.com" })).status, 200);
  });

  test("every request has an id: the app, the client and the logs have the same", async () => {
    const page = await get("/named", { "x-request-id": "forged" });
    const id = told(page).fields["x_request_id"];
    assert.match(id ?? "", /^[\da-f-]{36}$/);
    assert.equal(page.headers["x-request-id"], id);
    await server.waitForLine(new RegExp(`^- /named 200 ${id}$`, "m"));
    const refused = await get("/inside");
    assert.match(String(refused.headers["x-request-id"]), /^[\da-f-]{36}$/, "refusals too");
    const failed = await get("/raise");
    await server.waitForLine(new RegExp(`error in the app, GET '/raise'.*${String(failed.headers["x-request-id"])}`));
  });

  test("a reload of the configuration gives nobody a new allowance", async () => {
    assert.deepEqual([(await get("/once")).status, (await get("/once")).status], [200, 429]);
    server.signal("SIGHUP");
    await server.waitForLine(/Worker 2 .*is ready/);
    assert.equal((await get("/once")).status, 429);
  });
});

test("a client that is gone before its connection is accepted is not taken for one on a Unix socket", async () => {
  const place = new Place();
  place.write(
    "wsgi",
    `access-logfile = "-"
[[route]]
path = "/inside"
access = ["allow unix:", "deny all"]
`,
  );
  const server = await place.start();
  const browser = new Browser(server.port);
  assert.equal((await browser.get("/inside")).status, 403);
  // The kernel accepts for it meanwhile; when it looks, it cannot be told who has sent this.
  server.signal("SIGSTOP");
  const client = await RawClient.open(server.port);
  await client.send(
    "POST /inside/forged HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 10.0.0.1\r\nContent-Length: 0\r\n\r\n",
  );
  client.vanish();
  await once(client.socket, "close");
  server.signal("SIGCONT");
  assert.equal((await browser.ask("/inside", { headers: {} })).status, 403);
  await server.waitForLine(/"GET \/inside[^]*"GET \/inside/);
  browser.close();
  await server.stop();
  assert.doesNotMatch(server.stdout(), /forged/);
});
