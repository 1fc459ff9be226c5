/** Django as it is deployed: DEBUG off, ManifestStaticFilesStorage, the admin; static files and uploads by the front. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { Browser } from "../support/browser.ts";
import { newPage, withoutChromium } from "../support/chromium.ts";
import { type Maitred, startMaitred } from "../support/maitred.ts";
import { example, examplesPython, temporaryFolder } from "../support/places.ts";

const FOREVER = /max-age=31536000.*immutable/;

suite("Django with hashed static files and the admin", () => {
  const folder = temporaryFolder();
  let maitred: Maitred;
  let browser: Browser;

  before(async () => {
    cpSync(example("django"), folder, { recursive: true });
    const manage = (...words: string[]): Buffer =>
      execFileSync(examplesPython(), ["manage.py", ...words], {
        cwd: folder,
        env: { ...process.env, DJANGO_SETTINGS_MODULE: "readinglist.production" },
      });
    manage("prepare");
    manage("collectstatic", "--noinput", "--verbosity", "0");
    mkdirSync(join(folder, "media"));
    writeFileSync(join(folder, "media", "cover.txt"), "a cover");
    maitred = await startMaitred(["-c", "production.toml", "-b", "127.0.0.1:0", "-w", "1", "--chdir", folder]);
    browser = new Browser(maitred.port);
  });

  after(async () => {
    browser.close();
    assert.equal((await maitred.stop()).code, 0);
  });

  /** The URLs of style sheets and scripts in a page. */
  async function assets(url: string): Promise<string[]> {
    const page = await browser.get(url);
    assert.equal(page.status, 200);
    return [...page.text.matchAll(/(?:href|src)="(\/static\/[^"]+)"/g)].map((match) => match[1]!);
  }

  test("its style sheets and scripts have hashed names, and are kept for ever", async () => {
    const urls = [...(await assets("/")), ...(await assets("/admin/login/"))];
    assert.ok(urls.length >= 4, urls.join(" "));
    for (const url of urls) {
      assert.match(url, /\.[0-9a-f]{12}\.(?:css|js|svg)$/);
      const file = await browser.get(url);
      assert.equal(file.status, 200, url);
      assert.match(String(file.headers["cache-control"]), FOREVER, url);
      assert.match(String(file.headers["content-type"]), /^(?:text\/css|text\/javascript|image\/svg\+xml)/);
    }
  });

  test("a file asked for by its plain name is there, and asked for again", async () => {
    const file = await browser.get("/static/admin/css/base.css");
    assert.equal(file.status, 200);
    assert.doesNotMatch(String(file.headers["cache-control"]), /immutable/);
    const again = await browser.get("/static/admin/css/base.css", { "if-none-match": String(file.headers["etag"]) });
    assert.equal(again.status, 304);
  });

  test("what is not there is 404 without the application", async () => {
    const page = await browser.get("/static/admin/css/base.000000000000.css");
    assert.equal(page.status, 404);
    assert.equal(page.headers["x-frame-options"], undefined);
  });

  test("nothing of the project is served", async () => {
    for (const url of [
      "/static/../manage.py",
      "/static/%2e%2e/db.sqlite3",
      "/static/..%2fdb.sqlite3",
      "/media/../db.sqlite3",
    ])
      assert.ok((await browser.get(url)).status >= 400, url);
  });

  test("uploads are served, and are not kept for ever", async () => {
    const file = await browser.get("/media/cover.txt");
    assert.deepEqual([file.status, file.text], [200, "a cover"]);
    assert.doesNotMatch(String(file.headers["cache-control"]), /immutable/);
  });

  test(
    "in a browser: log in to the admin, add a book, with everything it wears",
    { skip: withoutChromium },
    async () => {
      const page = await newPage();
      const bad: string[] = [];
      const sheets: string[] = [];
      page.on("response", (response) => {
        if (response.status() >= 400) bad.push(`${response.status()} ${response.url()}`);
        if (/\.(?:css|js)$/.test(response.url())) sheets.push(response.url());
      });
      await page.goto(`${maitred.base}/admin/`);
      await page.fill("#id_username", "admin");
      await page.fill("#id_password", "admin");
      await page.click("[type=submit]");
      await page.getByRole("heading", { name: "Site administration" }).waitFor();
      await page.goto(`${maitred.base}/admin/books/book/add/`);
      await page.fill("#id_title", "Solaris");
      await page.fill("#id_author", "Stanisław Lem");
      await page.click("[name=_save]");
      await page.getByText(/was added successfully/).waitFor();
      // The sheets have been used: Django's header has its colour.
      await page.goto(`${maitred.base}/admin/`);
      const colour = await page.evaluate("getComputedStyle(document.querySelector('#header')).backgroundColor");
      assert.notEqual(colour, "rgba(0, 0, 0, 0)");
      assert.ok(sheets.length > 5);
      assert.deepEqual(bad, []);
      assert.match((await browser.get("/")).text, /Solaris/);
    },
  );
});
