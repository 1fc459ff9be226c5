/** Errors as clients see them: the built-in forms on every route, own pages where the configuration has them. */
import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { connect } from "node:http2";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";

import { Browser } from "../support/browser.ts";
import { type Maitred, startMaitred } from "../support/maitred.ts";
import { temporaryFolder, testApps } from "../support/places.ts";
import { RawClient } from "../support/raw-client.ts";

const HTML = { accept: "text/html,application/xhtml+xml,*/*;q=0.8" };
const JSON_ONLY = { accept: "application/json" };

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

  test("is text where the request cannot be read", async () => {
    const client = await RawClient.open(server.port);
    await client.send("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\nAccept: text/html\r\n\r\n");
    const { status, body } = await client.response();
    assert.deepEqual([status, body.toString()], [400, "400 Bad Request\n"]);
    client.socket.destroy();
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
