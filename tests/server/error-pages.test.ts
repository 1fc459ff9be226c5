/** Errors as clients see them: the built-in forms on every route, own pages where the configuration has them. */
import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { connect } from "node:http2";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { gunzipSync } from "node:zlib";

import { Browser } from "../support/browser.ts";
import { ask } from "../support/configuration.ts";
import { type Maitred, startMaitred } from "../support/maitred.ts";
import { temporaryFolder, testApps } from "../support/places.ts";
import { RawClient } from "../support/raw-client.ts";

const HTML = { accept: "text/html,application/xhtml+xml,*/*;q=0.8" };
const JSON_ONLY = { accept: "application/json" };

/** Status, Content-Type and body of what the door says to these bytes; then the connection ends. */
async function refusedAt(port: number, bytes: string, isHead = false): Promise<[number, string, string]> {
  const client = await RawClient.open(port);
  await client.send(bytes);
  const { status, headers, body } = await client.response(isHead);
  assert.equal((await client.rest()).length, 0);
  client.socket.destroy();
  return [status, headers["content-type"] ?? "", body.toString()];
}

suite("an error without configuration", () => {
  let server: Maitred;
  let browser: Browser;
  before(async () => {
    const args = "-b 127.0.0.1:0 -w 2 --timeout 1 --limit-request-body 10 failing_wsgi:application".split(" ");
    server = await startMaitred(["--chdir", testApps, ...args]);
    browser = new Browser(server.port);
  });
  after(async () => {
    browser.close();
    await server.stop();
  });

  test("is a page for browsers, JSON for programs that ask for it, and text for the rest", async () => {
    const page = await browser.get("/raises", HTML);
    assert.deepEqual([page.status, page.headers["content-type"]], [500, "text/html; charset=utf-8"]);
    assert.match(page.text, /<h1>500 Internal Server Error<\/h1>/);
    assert.doesNotMatch(page.text, /RuntimeError|broken on purpose/);
    const problem = await browser.get("/raises", JSON_ONLY);
    assert.equal((JSON.parse(problem.text) as { status: number }).status, 500);
    const text = await browser.get("/raises", { accept: "*/*" });
    assert.deepEqual(
      [text.text, text.headers["content-type"]],
      ["500 Internal Server Error\n", "text/plain; charset=utf-8"],
    );
  });

  test("is that of a time limit and of a body that is too large too", async () => {
    assert.match((await browser.get("/sleeps", HTML)).text, /504 Gateway Timeout.*too long/s);
  });

  test("has no body in the answer to HEAD, but its length", async () => {
    const get = await browser.get("/raises", HTML);
    const head = await browser.ask("/raises", { method: "HEAD", headers: HTML });
    assert.deepEqual([head.status, head.body.length], [500, 0]);
    assert.equal(head.headers["content-length"], String(get.body.length));
  });

  test("is the same over HTTP/2", async () => {
    const session = connect(server.base);
    session.on("error", () => undefined);
    const stream = session.request({ ":path": "/raises", ...HTML });
    let text = "";
    stream.setEncoding("utf8").on("data", (data: string) => (text += data));
    await new Promise((resolve, reject) => stream.once("end", resolve).once("error", reject));
    session.close();
    assert.match(text, /<h1>500 Internal Server Error<\/h1>/);
  });

  test("is text where the request cannot be read, but for what is plain to see of it", async () => {
    assert.deepEqual(await refusedAt(server.port, "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"), [
      400,
      "text/plain; charset=utf-8",
      "400 Bad Request\n",
    ]);
    const [status, type, page] = await refusedAt(
      server.port,
      "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\nAccept: text/html\r\n\r\n",
    );
    assert.deepEqual([status, type], [400, "text/html; charset=utf-8"]);
    assert.match(page, /<h1>400 Bad Request<\/h1>/);
    const large = "POST / HTTP/1.1\r\nHost: a\r\nAccept: application/json\r\nContent-Length: 11\r\n\r\n";
    assert.equal((JSON.parse((await refusedAt(server.port, large))[2]) as { status: number }).status, 413);
    const head = large.replace("POST", "HEAD");
    assert.deepEqual(await refusedAt(server.port, head, true), [413, "application/json", ""]);
    assert.deepEqual(await refusedAt(server.port, "\x16\x03\x01\x02\x00\x01"), [
      400,
      "text/plain; charset=utf-8",
      "400 Bad Request\n",
    ]);
  });
});

suite("error-pages", () => {
  let server: Maitred;
  let browser: Browser;
  const folder = temporaryFolder();
  before(async () => {
    mkdirSync(join(folder, "errors"));
    writeFileSync(join(folder, "errors/404.html"), "<p>lost</p>");
    writeFileSync(join(folder, "errors/50x.html"), "<p>broken</p>");
    writeFileSync(join(folder, "errors/50x.json"), '{"broken":true}');
    writeFileSync(
      join(folder, "maitred.toml"),
      `
app = "failing_wsgi:application"
pythonpath = ["${testApps}"]
error-pages = { 404 = "errors/404.html", 5xx = ["errors/50x.html", "errors/50x.json"] }
request-id = true
[[route]]
path = "/all"
error-pages = { 4xx = "errors/404.html", 5xx = "errors/50x.html", intercept = true }
[[route]]
path = "/streams"
error-pages = { 500 = "errors/50x.html", intercept = true }
[[route]]
path = "/bare"
error-pages = false
[[route]]
path = "/files"
static = "errors"
error-pages = { 4xx = "errors/404.html" }
[[route]]
path = "/raw"
allow-methods = ["POST"]
`,
    );
    server = await startMaitred(["-b", "127.0.0.1:0", "-w", "1"], { cwd: folder });
    browser = new Browser(server.port);
  });
  after(async () => {
    browser.close();
    await server.stop();
  });

  test("stand in for maitred's own errors, in the form that the client accepts", async () => {
    const page = await browser.get("/raises", HTML);
    assert.deepEqual([page.status, page.text], [500, "<p>broken</p>"]);
    assert.notEqual(page.headers["x-request-id"], undefined);
    assert.equal((await browser.get("/raises", JSON_ONLY)).text, '{"broken":true}');
  });

  test("leave the app's own words alone, unless they are to stand in for these too", async () => {
    const own = await browser.get("/?status=404+Not+Found", HTML);
    assert.deepEqual([own.status, own.text], [404, "the app's own words"]);
    const replaced = await browser.get("/all?status=404+Not+Found", HTML);
    assert.deepEqual([replaced.status, replaced.text, replaced.headers["x-app"]], [404, "<p>lost</p>", "yes"]);
    assert.equal((await browser.get("/all?status=418+Teapot", HTML)).text, "<p>lost</p>");
    assert.equal((await browser.get("/all?status=302+Found", HTML)).text, "the app's own words");
    const large = await browser.get("/streams", HTML);
    assert.deepEqual([large.status, large.text], [500, "<p>broken</p>"]);
    assert.equal((await browser.get("/?status=200+OK")).text, "the app's own words");
  });

  test("stand in for those of a static folder, with their fields", async () => {
    assert.equal((await browser.get("/files/missing.css", HTML)).text, "<p>lost</p>");
    const post = await browser.ask("/files/404.html", { method: "POST", body: "x", headers: HTML });
    assert.deepEqual([post.status, post.text, post.headers["allow"]], [405, "<p>lost</p>", "GET, HEAD"]);
    const beyond = await browser.get("/files/404.html", { ...HTML, range: "bytes=99-" });
    assert.deepEqual([beyond.status, beyond.text, beyond.headers["content-range"]], [416, "<p>lost</p>", "bytes */11"]);
  });

  test("can be turned off for a route: the built-in page names the request", async () => {
    const page = await browser.get("/raw", HTML);
    assert.equal(page.status, 405);
    assert.ok(page.text.includes(`<code>${String(page.headers["x-request-id"])}</code>`), page.text);
  });
});

suite("error-pages of what is refused at the door", () => {
  let server: Maitred;
  const folder = temporaryFolder();
  const page = (name: string, text: string): void => writeFileSync(join(folder, name), text);
  before(async () => {
    page("base.html", "<p>base</p>");
    page("site.html", "<p>site</p>");
    page("site.json", '{"site":true}');
    page("upload.html", "<p>upload</p>");
    page(
      "maitred.toml",
      `
app = "failing_wsgi:application"
pythonpath = ["${testApps}"]
limit-request-body = 10
header-timeout = 1
error-pages = { 4xx = "base.html" }
[[site]]
hosts = "a.example"
error-pages = { 4xx = ["site.html", "site.json"] }
[[site.route]]
path = "/upload"
error-pages = { 413 = "upload.html" }
[[site.route]]
path = "/bare"
error-pages = false
[[site]]
hosts = "b.example"
error-pages = { 5xx = "site.html" }
`,
    );
    server = await startMaitred(["-b", "127.0.0.1:0", "-w", "1"], { cwd: folder });
  });
  after(() => server.stop());

  const ask = async (bytes: string): Promise<string> => {
    const [status, , body] = await refusedAt(server.port, bytes);
    return `${status} ${body.trim()}`;
  };

  test("are the default site's where the request is not known at all", async () => {
    assert.equal(await ask("nonsense\r\n\r\n"), "400 <p>base</p>");
    assert.equal(await ask("GET / HTTP/1.1\r\n\r\n"), "400 <p>base</p>");
    assert.equal(await ask(`GET /${"x".repeat(9000)} HTTP/1.1\r\nHost: a.example\r\n\r\n`), "414 <p>base</p>");
    assert.equal(await ask("GET /half"), "408 <p>base</p>");
  });

  test("are those of the site that the client has said, in the form that it accepts", async () => {
    const cookie = `Cookie: ${"x".repeat(9000)}\r\n\r\n`;
    assert.equal(await ask(`GET / HTTP/1.1\r\nHost: a.example\r\n${cookie}`), "431 <p>site</p>");
    const json = "GET / HTTP/1.1\r\nHost: A.example:80\r\nAccept: application/json\r\n";
    assert.equal(await ask(json + cookie), '431 {"site":true}');
    assert.equal(await ask("GET / HTTP/1.1\r\nHost: a.example\r\nbad field\r\n\r\n"), "400 <p>site</p>");
    assert.match(await ask("GET / HTTP/3.0\r\nHost: b.example\r\n\r\n"), /^505 <p>site/);
    assert.equal(await ask("GET / HTTP/1.1\r\nHost: b.example\r\nbad field\r\n\r\n"), "400 400 Bad Request");
    assert.equal(await ask("GET / HTTP/1.1\r\nHost: a.example\r\nX: y"), "408 <p>site</p>");
  });

  test("are those of the route where the head is whole", async () => {
    const post = (path: string): string => `POST ${path} HTTP/1.1\r\nHost: a.example\r\nContent-Length: 11\r\n\r\n`;
    assert.equal(await ask(post("/upload/x")), "413 <p>upload</p>");
    assert.equal(await ask(post("/")), "413 <p>site</p>");
    assert.equal(await ask(post("/bare")), "413 413 Content Too Large");
    const chunked = "POST /upload HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\n\r\nnonsense\r\n";
    assert.equal(await ask(chunked), "400 400 Bad Request");
    assert.equal(await ask(chunked.replace("/upload", "/")), "400 <p>site</p>");
    assert.equal(await ask("GET /a/../b HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n"), "400 <p>base</p>");
  });

  test("are given over HTTP/2 too", async () => {
    const session = connect(server.base);
    session.on("error", () => undefined);
    const get = async (path: string, more: Record<string, string> = {}): Promise<string> => {
      const stream = session.request({ ":path": path, ":authority": "a.example", ...more });
      let [status, text] = [0, ""];
      stream.on("response", (headers) => (status = headers[":status"] ?? 0));
      stream.setEncoding("utf8").on("data", (data: string) => (text += data));
      await new Promise((resolve, reject) => stream.once("close", resolve).once("error", reject));
      return `${status} ${text}`;
    };
    assert.equal(await get(`/${"x".repeat(9000)}`), "414 <p>site</p>");
    assert.equal(await get("/upload", { ":method": "POST", "content-length": "11" }), "413 <p>upload</p>");
    assert.equal(await get("/", { "x-large": "y".repeat(9000), accept: "application/json" }), '431 {"site":true}');
    assert.equal(await get(`/${"x".repeat(9000)}`, { ":method": "HEAD" }), "414 ");
    session.close();
  });
});

test("error-pages are compressed as other responses are", async () => {
  const folder = temporaryFolder();
  const large = `<p>${"closed ".repeat(1000)}</p>`;
  writeFileSync(join(folder, "large.html"), large);
  writeFileSync(
    join(folder, "maitred.toml"),
    `app = "failing_wsgi:application"
pythonpath = ["${testApps}"]
compression = ["gzip"]
error-pages = { 403 = "large.html" }
[[route]]
path = "/closed"
access = ["deny all"]
[[route]]
path = "/open"
respond = "small"
`,
  );
  const server = await startMaitred(["-b", "127.0.0.1:0", "-w", "1"], { cwd: folder });
  for (let round = 0; round < 2; round++) {
    const coded = await ask(server.port, "h", "/closed", { head: "Accept-Encoding: gzip\r\n" });
    assert.deepEqual(
      [coded.status, coded.headers["content-encoding"], coded.headers["vary"]],
      [403, "gzip", "Accept-Encoding"],
    );
    assert.equal(gunzipSync(coded.body).toString(), large);
  }
  const plain = await ask(server.port, "h", "/closed");
  assert.deepEqual([plain.headers["content-encoding"], plain.text], [undefined, large]);
  assert.equal((await ask(server.port, "h", "/open", { head: "Accept-Encoding: gzip\r\n" })).text, "small");
  await server.stop();
});
