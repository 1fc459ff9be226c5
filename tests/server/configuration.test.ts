/** One file says which sites there are and who answers for which of their paths: over real sockets. */
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { connect } from "node:http2";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";

import { command } from "../support/command.ts";
import { ask, common, Folder } from "../support/configuration.ts";
import { type Maitred, runMaitred, startMaitred } from "../support/maitred.ts";
import { repository, testApps } from "../support/places.ts";
import { RawClient } from "../support/raw-client.ts";

suite("sites and routes", () => {
  const folder = new Folder();
  let server: Maitred;

  before(async () => {
    folder.write(`${common}
limit-request-body = "1k"

[pools.other]
app = "mounted:wsgi"
mount = "/mounted"

[[route]]
path = "/old"
redirect = { to = "https://new.example.com", status = 308, keep-path = true }

[[route]]
path = "/go"
redirect = "{path}away"

[[route]]
path = "/hello$"
respond = { body = "hällo", headers = { X-By = "maitred" } }

[[route]]
path = ["/gone", "/removed"]
respond = 410

[[route]]
path = "/echo"
match = { methods = ["POST"] }
limit_request_body = 10

[[route]]
path = "/echo"
match = { headers = { X-Large = "yes" } }
limit-request-body = 0

[[route]]
path = "/mounted"
pool = "other"

[[route]]
path = "/asgi"
app = "mounted:asgi"
mount = true

[[site]]
hosts = ["shop.example.com", "*.shop.example.com"]

[[site.route]]
path = "/"
respond = "the shop"

[[site]]
hosts = "*.example.com"

[[site.route]]
path = "/"
respond = "somebody"
[[site.route]]
path = "/pid"
pool = "main"
`);
    server = await startMaitred(["-c", folder.file]);
    await server.waitForLine(/Pool other: Serving/);
    await server.waitForLine(/Pool mounted: Serving/);
  });
  after(async () => {
    assert.deepEqual(await server.stop(), { code: 0, signal: null });
    folder.remove();
  });

  test("what no route is for is the app's", async () => {
    assert.equal((await ask(server.port, "localhost", "/anything")).text, "hello");
    assert.equal((await ask(server.port, "", "/anything")).text, "hello");
  });

  test("sites by their names, with wildcards, in any case and with any port", async () => {
    for (const [host, text] of [
      ["shop.example.com", "the shop"],
      ["SHOP.example.com:8443", "the shop"],
      ["a.b.shop.example.com", "the shop"],
      ["shop.example.com.", "the shop"],
      ["www.example.com", "somebody"],
      ["example.com", "hello"],
      ["shop.example.com.evil.example", "hello"],
    ] as const)
      assert.equal((await ask(server.port, host, "/x")).text, text, host);
    assert.match((await ask(server.port, "www.example.com", "/pid")).text, /^\d+$/);
  });

  test("sites over HTTP/2, several on one connection", async () => {
    const session = connect(`http://127.0.0.1:${server.port}`);
    const get = async (authority: string): Promise<string> => {
      const stream = session.request({ ":path": "/x", ":authority": authority });
      stream.setEncoding("utf8");
      let text = "";
      for await (const piece of stream) text += String(piece);
      return text;
    };
    assert.deepEqual(await Promise.all(["shop.example.com", "www.example.com:443", "elsewhere.example"].map(get)), [
      "the shop",
      "somebody",
      "hello",
    ]);
    session.close();
  });

  test("redirects", async () => {
    const moved = await ask(server.port, "localhost", "/old/page%20one?q=%0d%0aSet-Cookie:x");
    assert.equal(moved.status, 308);
    assert.equal(moved.headers["location"], "https://new.example.com/old/page%20one?q=%0d%0aSet-Cookie:x");
    assert.equal(moved.headers["set-cookie"], undefined);
    assert.equal(
      (await ask(server.port, "localhost", "/go//evil.example")).headers["location"],
      "/go//evil.exampleaway",
    );
    assert.equal((await ask(server.port, "localhost", "/old", { method: "POST", body: "x".repeat(500) })).status, 308);
  });

  test("fixed responses", async () => {
    const hello = await ask(server.port, "localhost", "/hello");
    assert.deepEqual([hello.status, hello.text, hello.headers["x-by"]], [200, "hällo", "maitred"]);
    assert.equal(hello.headers["content-type"], "text/plain; charset=utf-8");
    const head = await ask(server.port, "localhost", "/hello", { method: "HEAD" });
    assert.deepEqual([head.status, head.headers["content-length"]], [200, "6"]);
    assert.equal((await ask(server.port, "localhost", "/hello/there")).text, "hello");
    assert.equal((await ask(server.port, "localhost", "/gone/1")).status, 410);
    assert.equal((await ask(server.port, "localhost", "/removed")).status, 410);
  });

  test("a limit of its own for the bodies of one route, by method and by field", async () => {
    const post = async (path: string, size: number, head = ""): Promise<number> =>
      (await ask(server.port, "localhost", path, { method: "POST", body: "x".repeat(size), head })).status;
    assert.equal(await post("/echo", 10), 200);
    assert.equal(await post("/echo", 11), 413);
    assert.equal(await post("/echo", 5000, "X-Large: yes\r\n"), 200);
    assert.equal(await post("/echo", 11, "X-Large: no\r\n"), 413);
    assert.equal(await post("/other", 1024), 200);
    assert.equal(await post("/other", 1025), 413);
  });

  test("a path that somebody could read as another is nobody's", async () => {
    for (const path of ["/hello/../pid", "/%2e%2e/pid", "/hello/..;/pid", "/mounted/%2e%2e%2fpid"])
      assert.equal((await ask(server.port, "localhost", path)).status, 400, path);
    assert.equal((await ask(server.port, "localhost", "/.well-known/x")).status, 200);
  });

  test("pools of the file, and one that a route has for its own app", async () => {
    const told = JSON.parse((await ask(server.port, "localhost", "/mounted/x")).text) as Record<string, string>;
    assert.deepEqual([told["kind"], told["root"], told["path"]], ["wsgi", "/mounted", "/x"]);
    const asgi = JSON.parse((await ask(server.port, "localhost", "/asgi/y")).text) as Record<string, string>;
    assert.deepEqual([asgi["kind"], asgi["root"]], ["http", "/asgi"]);
  });

  test("a client that has no more to say still gets what no app has to answer", async () => {
    const client = await RawClient.open(server.port);
    await client.send("GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n");
    client.socket.end();
    assert.equal((await client.response()).status, 200);
    client.leave();
  });
});

test("unknown hosts are refused where that was asked for", async () => {
  const folder = new Folder();
  folder.write(`
app = "wsgi_app:application"
bind = "127.0.0.1:0"
workers = 1
pythonpath = "${testApps}"
unknown_hosts = "refuse"
[[site]]
hosts = ["localhost"]
`);
  const server = await startMaitred(["--chdir", folder.path]);
  assert.equal((await ask(server.port, "localhost", "/")).text, "hello");
  assert.equal((await ask(server.port, "evil.example", "/")).status, 421);
  assert.equal((await ask(server.port, "evil.example", "/", { method: "POST", body: "x" })).status, 421);
  await server.stop();
  folder.remove();
});

test("every mistake at once, with its line, and nothing starts", async () => {
  const folder = new Folder();
  folder.write(`app = "wsgi_app:application"
wrokers = 2
timeout = "soon"
preload = "yes"

[[route]]
path = "static"
timeout = "later"

[[route]]
path = "/a"
pool = "reprots"
respond = 200

[[route]]
path = "/b"
redirect = { to = "//evil.example", status = 200 }

[[site]]
hosts = "example.com:80"
`);
  const ended = await runMaitred(["-c", folder.file]);
  folder.remove();
  assert.equal(ended.code, 2);
  const lines = ended.stderr.replaceAll(folder.file, "maitred.toml").trimEnd().split("\n");
  assert.deepEqual(lines, [
    "maitred: error: maitred.toml:2: wrokers is no key of the configuration, did you mean workers?",
    'maitred: error: maitred.toml:3: timeout = soon is not a time span: write seconds, or a number with ms, s, m or h ("30", "1.5", "500ms", "2m")',
    'maitred: error: maitred.toml:4: preload = "yes" is neither true nor false',
    'maitred: error: maitred.toml:7: path = "static" is no path pattern: "static" does not begin with a slash',
    'maitred: error: maitred.toml:8: timeout = "later" is not a time span: write seconds, or a number with ms, s, m or h ("30", "1.5", "500ms", "2m")',
    "maitred: error: maitred.toml:10: route[2] has pool and respond: one of them answers, give only that",
    'maitred: error: maitred.toml:17: to = "//evil.example" leads nowhere: write a path (/new) or a URL (https://example.com{path}{query})',
    "maitred: error: maitred.toml:17: status = 200 is not one of 301, 302, 303, 307, 308",
    'maitred: error: maitred.toml:20: hosts = "example.com:80" has a port: write the host name alone, it counts on every port',
    "see maitred --help",
  ]);
});

test("the first example of docs/configuration.md is served as it says", async () => {
  const [, example = ""] =
    /```toml\n([^]*?)```/.exec(readFileSync(join(repository, "docs/configuration.md"), "utf8")) ?? [];
  const folder = new Folder();
  folder.write(example);
  const options = [
    "--chdir",
    folder.path,
    "--pythonpath",
    testApps,
    "-b",
    "127.0.0.1:0",
    "-w",
    "1",
    "wsgi_app:application",
  ];
  const checked = await command(["check", ...options]);
  assert.deepEqual(
    [checked.code, checked.stdout, checked.stderr],
    [0, "maitred.toml: fine (wsgi_app:application, 2 sites, 5 routes, 2 pools)\n", ""],
  );
  const server = await startMaitred(options);
  await server.waitForLine(/Pool reports: Serving .* with 2 workers/);
  assert.equal((await ask(server.port, "localhost", "/healthz")).text, "ok");
  assert.match((await ask(server.port, "localhost", "/reports/pid")).text, /hello/);
  const moved = await ask(server.port, "localhost", "/blog/1?a=b");
  assert.deepEqual([moved.status, moved.headers["location"]], [308, "https://blog.example.com/blog/1?a=b"]);
  const old = await ask(server.port, "a.old.example.com", "/x?y");
  assert.deepEqual([old.status, old.headers["location"]], [302, "https://www.example.com/x?y"]);
  await server.stop();
  folder.remove();
});

test("a route has a time limit of its own", async () => {
  const folder = new Folder();
  folder.write(`${common}
worker-class = "gthread"
timeout = 20
[[route]]
path = "/work"
timeout = "300ms"
`);
  const server = await startMaitred(["-c", folder.file]);
  assert.equal((await ask(server.port, "localhost", "/work?ms=10000")).status, 504);
  await server.waitForLine(/\/work\?ms=10000 .*its own limit of 0\.3 s/);
  assert.equal((await ask(server.port, "localhost", "/other")).status, 200);
  await server.stop();
  folder.remove();
});

test("without an application: folders, redirects and fixed responses need no worker", async () => {
  const folder = new Folder();
  mkdirSync(join(folder.path, "site"));
  writeFileSync(join(folder.path, "site", "index.html"), "a page");
  const text = (answer: string): string => `
bind = "127.0.0.1:0"
health-path = "/-"
[[route]]
path = "/"
match = { headers = { X-Api = true } }
respond = "${answer}"
[[route]]
path = "/site"
static = "site"
`;
  folder.write(text("one"));
  const server = await startMaitred(["--chdir", folder.path]);
  const get = async (path: string, head = ""): Promise<string> => {
    const { status, text } = await ask(server.port, "localhost", path, { head });
    return `${status} ${text.trim()}`;
  };
  assert.equal(await get("/", "X-Api: 1\r\n"), "200 one");
  assert.equal(await get("/site/"), "200 a page");
  assert.equal(await get("/else"), "404 404 Not Found");
  assert.equal(await get("/-/readyz"), "200 ok");
  const control = ["-p", String(server.pid)];
  assert.match((await command(["status", ...control])).stdout, /^app +none$/m);
  folder.write(text("two"));
  assert.deepEqual(await command(["reload", ...control]), {
    code: 0,
    stdout: "Reloaded: 0 new workers serve\n",
    stderr: "",
  });
  assert.equal(await get("/x", "X-Api: 1\r\n"), "200 two");
  folder.write(`app = "wsgi_app:application"\n${text("three")}`);
  assert.match((await command(["reload", ...control])).stderr, /restart to apply app/);
  assert.equal(await get("/x", "X-Api: 1\r\n"), "200 two");
  assert.match((await command(["scale", "2", ...control])).stderr, /pool main has no application/);
  assert.deepEqual(await server.stop(), { code: 0, signal: null });
  folder.remove();
});
