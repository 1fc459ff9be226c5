/** The single-page app that Vite has built, and its API in FastAPI, from one configuration: as requests, and in a real browser. */
import assert from "node:assert/strict";
import { cpSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { brotliCompressSync, brotliDecompressSync } from "node:zlib";
import { Browser } from "../support/browser.ts";
import { newPage, withoutChromium } from "../support/chromium.ts";
import { type Maitred, startMaitred } from "../support/maitred.ts";
import { example, temporaryFolder } from "../support/places.ts";

suite("a single-page app with its API", () => {
  const folder = temporaryFolder();
  const built = join(folder, "web/built");
  let maitred: Maitred;
  let browser: Browser;
  let script = "";
  let sheet = "";

  before(async () => {
    cpSync(example("spa"), folder, { recursive: true });
    const assets = readdirSync(join(built, "assets"));
    script = assets.find((name) => /^index-.*\.js$/.test(name))!;
    sheet = assets.find((name) => name.endsWith(".css"))!;
    // As `vite-plugin-compression` and its kin leave them.
    const path = join(built, "assets", script);
    writeFileSync(`${path}.br`, brotliCompressSync(readFileSync(path)));
    maitred = await startMaitred(["-b", "127.0.0.1:0", "-w", "1", "--chdir", folder]);
    browser = new Browser(maitred.port);
  });

  after(async () => {
    browser.close();
    assert.equal((await maitred.stop()).code, 0);
  });

  test("every page of the app is index.html, which browsers ask for each time", async () => {
    const index = readFileSync(join(built, "index.html"), "utf8");
    for (const url of ["/", "/orders/new", "/orders/17?from=mail", "/no/such/page"]) {
      const page = await browser.get(url, { accept: "text/html,application/xhtml+xml" });
      assert.deepEqual([page.status, page.text], [200, index], url);
      assert.match(String(page.headers["content-type"]), /^text\/html/);
      assert.match(String(page.headers["cache-control"]), /no-cache/, url);
    }
  });

  test("files with a hash in their names are kept for ever", async () => {
    for (const name of [script, sheet]) {
      const file = await browser.get(`/assets/${name}`);
      assert.equal(file.status, 200);
      assert.match(String(file.headers["cache-control"]), /max-age=31536000.*immutable/, name);
    }
    assert.doesNotMatch(String((await browser.get("/plate.svg")).headers["cache-control"]), /immutable/);
  });

  test("a file of an older build that is gone is 404, and no page", async () => {
    const page = await browser.get("/assets/index-gone1234.js");
    assert.equal(page.status, 404);
    assert.doesNotMatch(page.text, /<html/);
  });

  test("what the build has compressed is sent as it is", async () => {
    const page = await browser.get(`/assets/${script}`, { "accept-encoding": "gzip, br" });
    assert.equal(page.headers["content-encoding"], "br");
    assert.deepEqual(page.body, readFileSync(join(built, "assets", `${script}.br`)));
    assert.deepEqual(brotliDecompressSync(page.body), readFileSync(join(built, "assets", script)));
    assert.match(String(page.headers["vary"]), /accept-encoding/i);
  });

  test("a page that has not changed is not sent again", async () => {
    const { headers } = await browser.get("/");
    const again = await browser.get("/", { "if-none-match": String(headers["etag"]) });
    assert.deepEqual([again.status, again.body.length], [304, 0]);
  });

  test("the API is the application's, its mistakes too", async () => {
    assert.match((await browser.get("/api/dishes")).text, /Onion soup/);
    const ordered = await browser.sendJson("/api/orders", { dish: "stew", portions: 3 });
    assert.equal(ordered.status, 201);
    assert.deepEqual(JSON.parse(ordered.text), { number: 1, name: "Lentil stew", portions: 3 });
    assert.equal((await browser.sendJson("/api/orders", { dish: "stew", portions: 99 })).status, 422);
    const missing = await browser.get("/api/nothing");
    assert.deepEqual([missing.status, missing.text], [404, '{"detail":"Not Found"}']);
  });

  test("nothing beside the build is served", async () => {
    for (const url of ["/..%2fmain.py", "/%2e%2e/%2e%2e/main.py", "/assets/..%2f..%2fpackage.json"]) {
      const page = await browser.get(url, { accept: "*/*" });
      assert.ok(page.status >= 400 && page.status < 500, `${url}: ${page.status}`);
    }
  });

  test(
    "in a browser: from page to page, from a link into the app, by the back button",
    { skip: withoutChromium },
    async () => {
      const page = await newPage();
      const mistakes: string[] = [];
      page.on("pageerror", (error) => mistakes.push(error.message));
      page.on("response", (response) => {
        if (response.status() >= 400) mistakes.push(`${response.status()} ${response.url()}`);
      });
      await page.goto(`${maitred.base}/`);
      await page.getByText("Lemon tart").waitFor();
      await page.getByRole("link", { name: "Order" }).click();
      await page.getByRole("button", { name: "Order" }).click();
      await page.getByText(/Number \d+: 2 × Onion soup/).waitFor();
      await page.goBack();
      await page.getByText("Lemon tart").waitFor();
      // A link from elsewhere: the server has no such file.
      await page.goto(`${maitred.base}/orders/new`);
      await page.getByRole("heading", { name: "Order" }).waitFor();
      assert.deepEqual(mistakes, []);
    },
  );
});
