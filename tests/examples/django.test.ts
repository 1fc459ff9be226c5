/** The Django example, clicked through as a browser would, under every worker model. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";

import { Browser, readUntil, type Page } from "../support/browser.ts";
import { startMaitred, type Maitred } from "../support/maitred.ts";
import { example, examplesPython, temporaryFolder } from "../support/places.ts";

const models = [
  { name: "WSGI, sync workers", args: ["-k", "sync", "-w", "2", "readinglist.wsgi:application"] },
  { name: "WSGI, threads", args: ["-k", "gthread", "-w", "2", "--threads", "4", "readinglist.wsgi:application"] },
  { name: "WSGI, gevent", args: ["-k", "gevent", "-w", "2", "readinglist.wsgi:application"] },
  { name: "ASGI", args: ["-k", "asgi", "-w", "2", "readinglist.asgi:application"] },
] as const;

for (const model of models) {
  suite(`Django example on ${model.name}`, () => {
    let server: Maitred;
    let browser: Browser;

    before(async () => {
      const env = { READINGLIST_DATABASE: join(temporaryFolder(), "db.sqlite3") };
      execFileSync(examplesPython(), ["manage.py", "prepare"], {
        cwd: example("django"),
        env: { ...process.env, ...env },
      });
      server = await startMaitred(["-b", "127.0.0.1:0", "--chdir", example("django"), ...model.args], { env });
      browser = new Browser(server.port);
    });

    after(async () => {
      browser.close();
      assert.deepEqual(await server.stop(), { code: 0, signal: null });
    });

    test("the list shows the seeded books, in UTF-8", async () => {
      const page = await browser.get("/");
      assert.equal(page.status, 200);
      assert.match(page.text, /Invisible Cities/);
      assert.match(page.text, /小王子/);
    });

    test("a book's page opens from the list", async () => {
      const list = await browser.get("/");
      const href = first(/<a href="(\/books\/\d+\/)">The Periodic Table/, list);
      assert.match((await browser.get(href)).text, /Primo Levi/);
    });

    test("the style sheets of the site and of the admin are served", async () => {
      for (const url of ["/static/books/style.css", "/static/admin/css/base.css"]) {
        const sheet = await browser.get(url);
        assert.equal(sheet.status, 200, url);
        assert.match(String(sheet.headers["content-type"]), /^text\/css/);
        assert.ok(sheet.body.length > 500, url);
      }
    });

    test("the form adds a book, redirects to it and says so", async () => {
      const token = csrfToken(await browser.get("/books/new/"));
      const title = `Solaris ${randomBytes(4).toString("hex")} é小`;
      const page = await browser.submit("/books/new/", {
        csrfmiddlewaretoken: token,
        title,
        author: "Stanisław Lem",
        note: "An ocean.",
      });
      assert.match(page.url, /^\/books\/\d+\/$/);
      assert.match(page.text, /is on the list/);
      assert.ok((await browser.get("/")).text.includes(title));
    });

    test("the form without a token is refused", async () => {
      const page = await browser.submit("/books/new/", { title: "No", author: "No" });
      assert.equal(page.status, 403);
    });

    test("the form with an empty title comes back with the reason", async () => {
      const token = csrfToken(await browser.get("/books/new/"));
      const page = await browser.submit("/books/new/", { csrfmiddlewaretoken: token, title: "", author: "Nobody" });
      assert.equal(page.status, 200);
      assert.match(page.text, /This field is required/);
    });

    test("the admin asks for a login and then shows the books", async () => {
      const visitor = new Browser(server.port);
      const login = await visitor.get("/admin/books/book/");
      assert.equal(login.url, "/admin/login/?next=/admin/books/book/");
      const page = await visitor.submit(login.url, {
        csrfmiddlewaretoken: csrfToken(login),
        username: "admin",
        password: "admin",
        next: "/admin/books/book/",
      });
      assert.equal(page.url, "/admin/books/book/");
      assert.match(page.text, /Select book to change/);
      assert.match(page.text, /Ursula K\. Le Guin/);
      assert.ok(visitor.cookies.has("sessionid"));
      visitor.close();
    });

    test("a wrong password does not open the admin", async () => {
      const visitor = new Browser(server.port);
      const login = await visitor.get("/admin/login/");
      const page = await visitor.submit("/admin/login/", {
        csrfmiddlewaretoken: csrfToken(login),
        username: "admin",
        password: "wrong",
      });
      assert.match(page.text, /Please enter the correct username and password/);
      assert.ok(!visitor.cookies.has("sessionid"));
      visitor.close();
    });

    for (const size of [0, 1_000, 3_000_000]) {
      test(`an upload of ${size} bytes arrives whole`, async () => {
        const bytes = randomBytes(size);
        const token = csrfToken(await browser.get("/upload/"));
        const page = await browser.upload(
          "/upload/",
          { csrfmiddlewaretoken: token },
          { field: "file", name: "data.bin", bytes },
        );
        assert.equal(page.status, 200);
        if (size === 0) return assert.match(page.text, /The submitted file is empty/);
        assert.equal(first(/id="name">([^<]*)/, page), "data.bin");
        assert.equal(first(/id="size">([^<]*)/, page), String(size));
        assert.equal(first(/id="sha256">([^<]*)/, page), createHash("sha256").update(bytes).digest("hex"));
      });
    }

    test("a stream arrives whole", async () => {
      assert.equal((await browser.get("/stream/?lines=3")).text, "line 1 of 3\nline 2 of 3\nline 3 of 3\n");
    });

    test("a stream arrives line by line, and ends when the reader leaves", async () => {
      const response = await browser.open("/stream/?lines=600");
      await readUntil(response, /line 3 of 600/);
      response.destroy();
      await server.waitForLine(/stream over after \d+ of 600 lines/);
    });

    test("an exception is a 500 with Django's page, and its traceback is in the log", async () => {
      const page = await browser.get("/error/");
      assert.equal(page.status, 500);
      assert.match(page.text, /an error on purpose/);
      await server.waitForLine(/RuntimeError: an error on purpose/);
    });

    test("a page that is not there is a 404", async () => {
      assert.equal((await browser.get("/nowhere/")).status, 404);
    });

    test("HEAD has the headers of GET and no body", async () => {
      const page = await browser.ask("/books/new/", { method: "HEAD" });
      assert.equal(page.status, 200);
      assert.equal(page.body.length, 0);
      assert.ok(Number(page.headers["content-length"]) > 500);
    });

    test("twenty visitors at once each get their page", async () => {
      const pages = await Promise.all(Array.from({ length: 20 }, () => browser.get("/")));
      assert.deepEqual([...new Set(pages.map((page) => page.status))], [200]);
    });
  });
}

function csrfToken(page: Page): string {
  return first(/name="csrfmiddlewaretoken" value="([^"]+)"/, page);
}

function first(pattern: RegExp, page: Page): string {
  const found = pattern.exec(page.text)?.[1];
  assert.ok(
    found !== undefined,
    `${String(pattern)} is not in ${page.status} ${page.url}:\n${page.text.slice(0, 2_000)}`,
  );
  return found;
}
