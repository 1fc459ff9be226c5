/** The Flask example under every WSGI worker model. */
import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";

import { Browser, readUntil } from "../support/browser.ts";
import { frameworkPromises } from "../support/framework-promises.ts";
import { startMaitred, type Maitred } from "../support/maitred.ts";
import { example } from "../support/places.ts";

const models = [
  { name: "sync workers", args: ["-k", "sync", "-w", "2"] },
  { name: "threads", args: ["-k", "gthread", "-w", "2", "--threads", "4"] },
  { name: "gevent", args: ["-k", "gevent", "-w", "2"] },
] as const;

for (const model of models) {
  suite(`Flask example on ${model.name}`, () => {
    let server: Maitred;
    let browser: Browser;

    before(async () => {
      server = await startMaitred(["-b", "127.0.0.1:0", "--chdir", example("flask"), ...model.args, "app:app"]);
      browser = new Browser(server.port);
    });

    after(async () => {
      browser.close();
      assert.deepEqual(await server.stop(), { code: 0, signal: null });
    });

    test("the session cookie counts the visits, whichever worker answers", async () => {
      const visitor = new Browser(server.port);
      for (const visit of [1, 2, 3, 4])
        assert.match((await visitor.get("/")).text, new RegExp(`id="visits">${visit}<`));
      visitor.close();
    });

    test("a form is remembered, in any alphabet, and welcomed once", async () => {
      const visitor = new Browser(server.port);
      const welcome = await visitor.submit("/name", { name: "Zoë & 小王子" });
      assert.equal(welcome.url, "/");
      assert.match(welcome.text, /Welcome, Zoë &amp; 小王子!/);
      const again = await visitor.get("/");
      assert.match(again.text, /Hello, Zoë &amp; 小王子/);
      assert.doesNotMatch(again.text, /Welcome/);
      visitor.close();
    });

    test("notes pile up and leaving forgets them", async () => {
      const visitor = new Browser(server.port);
      await visitor.submit("/notes", { note: "first" });
      const page = await visitor.submit("/notes", { note: "second" });
      assert.match(page.text, /<li>first<\/li><li>second<\/li>/);
      assert.doesNotMatch((await visitor.submit("/leave", {})).text, /<li>/);
      visitor.close();
    });

    test("a form with a mistake is a 400, a wrong method a 405", async () => {
      assert.equal((await browser.submit("/name", { name: " " })).status, 400);
      const page = await browser.get("/name");
      assert.equal(page.status, 405);
      assert.match(String(page.headers["allow"]), /POST/);
    });

    frameworkPromises(() => ({ server, browser }));

    test("a stream arrives whole", async () => {
      assert.equal((await browser.get("/stream?lines=3")).text, "line 1 of 3\nline 2 of 3\nline 3 of 3\n");
    });

    test("a stream arrives line by line, and ends when the reader leaves", async () => {
      const response = await browser.open("/stream?lines=600");
      await readUntil(response, /line 3 of 600/);
      response.destroy();
      await server.waitForLine(/stream over after \d+ of 600 lines/);
    });

    test("a page that is not there is a 404", async () => {
      assert.equal((await browser.get("/nowhere")).status, 404);
    });
  });
}
