/** Wagtail's start project: its pages come from the cache, and Wagtail itself says when they have changed. */
import assert from "node:assert/strict";
import { copyFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { Browser, type Page } from "../support/browser.ts";
import { type Maitred, startMaitred } from "../support/maitred.ts";
import { example, freePort, repository, temporaryFolder } from "../support/places.ts";

const project = join(repository, ".tools/bakery");
/** Wagtail purges the host of its site, which in the start project is this one. */
const AS_VISITOR = { host: "localhost" };

suite("Wagtail with its pages cached", () => {
  const folder = temporaryFolder();
  let maitred: Maitred;
  let visitor: Browser;
  let editor: Browser;

  before(async () => {
    const database = join(folder, "db.sqlite3");
    copyFileSync(join(project, "db.sqlite3"), database);
    const port = await freePort();
    const config = join(example("wagtail"), "maitred.toml");
    maitred = await startMaitred(
      ["-c", config, "--chdir", project, "-b", `127.0.0.1:${port}`, "-w", "1", "--access-logfile", "-"],
      { env: { BAKERY_DATABASE: database, BAKERY_FRONT: `http://127.0.0.1:${port}` } },
    );
    visitor = new Browser(port);
    editor = new Browser(port);
    const token = tokenOf(await editor.get("/admin/login/", AS_VISITOR));
    const form = { csrfmiddlewaretoken: token, username: "admin", password: "admin" };
    assert.equal((await editor.submit("/admin/login/", form, AS_VISITOR)).status, 200);
    assert.ok(editor.cookies.has("sessionid"));
  });

  after(async () => {
    visitor.close();
    editor.close();
    assert.equal((await maitred.stop()).code, 0);
  });

  /** A visitor's page, and what the cache did for it. */
  async function visit(url: string): Promise<{ status: number; text: string; cache: string }> {
    const { status, text, headers } = await visitor.get(url, AS_VISITOR);
    return { status, text, cache: /^maitred; (hit|fwd=[\w-]+)/.exec(String(headers["cache-status"]))?.[1] ?? "" };
  }

  /** Sends the form of an admin page with these fields. */
  async function send(url: string, fields: Readonly<Record<string, string>>): Promise<void> {
    const token = tokenOf(await editor.get(url, AS_VISITOR));
    const comments = ["TOTAL", "INITIAL", "MIN_NUM", "MAX_NUM"].map((name) => [`comments-${name}_FORMS`, "0"]);
    const form = { csrfmiddlewaretoken: token, ...Object.fromEntries(comments), ...fields };
    const body = new URLSearchParams(form).toString();
    const headers = { ...AS_VISITOR, "content-type": "application/x-www-form-urlencoded" };
    const answer = await editor.ask(url, { method: "POST", body, headers, follow: false });
    // A form that is not taken comes back with 200.
    assert.equal(answer.status, 302, answer.text.slice(0, 2000));
  }

  const publish = (url: string, title: string, slug: string): Promise<void> =>
    send(url, { title, slug, "action-publish": "action-publish" });

  test("the second visitor gets the page that the first one was made", async () => {
    const first = await visit("/");
    assert.deepEqual([first.status, first.cache], [200, "fwd=uri-miss"]);
    const second = await visit("/");
    assert.deepEqual([second.cache, second.text], ["hit", first.text]);
  });

  test("who is logged in gets a page of his own, and leaves none to others", async () => {
    const own = await editor.get("/", AS_VISITOR);
    assert.match(own.text, /wagtail-userbar/);
    assert.match(String(own.headers["cache-status"]), /^maitred; fwd=bypass/);
    assert.doesNotMatch((await visit("/")).text, /wagtail-userbar/);
  });

  test("a page that is published anew is seen at once", async () => {
    await visit("/");
    await publish("/admin/pages/3/edit/", "Fresh bread", "home");
    const page = await visit("/");
    assert.equal(page.cache, "fwd=uri-miss");
    assert.match(page.text, /Fresh bread/);
    assert.equal((await visit("/")).cache, "hit");
    await maitred.waitForLine(/"PURGE \/ HTTP\/1\.1" 200 .*Wagtail-frontendcache/);
  });

  test("a draft changes nothing that visitors see", async () => {
    await visit("/");
    await send("/admin/pages/3/edit/", { title: "Stale bread", slug: "home" });
    const page = await visit("/");
    assert.equal(page.cache, "hit");
    assert.doesNotMatch(page.text, /Stale bread/);
  });

  test("a page is there when it is published, and gone when it is taken back, though its absence was cached", async () => {
    for (const cache of ["fwd=uri-miss", "hit"]) {
      const absent = await visit("/cakes/");
      assert.deepEqual([absent.status, absent.cache], [404, cache]);
    }
    await publish("/admin/pages/add/home/homepage/3/", "Cakes", "cakes");
    const page = await visit("/cakes/");
    assert.equal(page.status, 200);
    assert.match(page.text, /Cakes/);
    assert.equal((await visit("/cakes/")).cache, "hit");
    const list = await editor.get("/admin/pages/3/", AS_VISITOR);
    // The start page is 3; its only child is the new one.
    const id = [...list.text.matchAll(/\/admin\/pages\/(\d+)\/edit\//g)]
      .map((match) => match[1])
      .find((one) => one !== "3");
    assert.ok(id !== undefined, "no new page in the list");
    await send(`/admin/pages/${id}/unpublish/`, {});
    assert.equal((await visit("/cakes/")).status, 404);
  });

  test("nobody from elsewhere can purge, and nobody but the admin sees it", async () => {
    await visit("/");
    const forwarded = { ...AS_VISITOR, "x-forwarded-for": "192.0.2.7" };
    const refused = await visitor.ask("/", { method: "PURGE", headers: forwarded });
    assert.ok(refused.status >= 400, String(refused.status));
    assert.equal((await visit("/")).cache, "hit");
    for (const url of ["/admin/", "/admin/pages/3/"]) {
      const page = await visitor.ask(url, { headers: AS_VISITOR, follow: false });
      assert.equal(page.status, 302, url);
    }
  });

  test("the admin's style sheets have hashed names, and come from the disk", async () => {
    const login = await visitor.get("/admin/login/", AS_VISITOR);
    const url = /href="(\/static\/wagtailadmin\/css\/core\.[0-9a-f]{12}\.css)/.exec(login.text)?.[1];
    assert.ok(url !== undefined, "no style sheet in the page");
    const sheet = await visitor.get(url, AS_VISITOR);
    assert.equal(sheet.status, 200);
    assert.match(String(sheet.headers["cache-control"]), /immutable/);
  });
});

function tokenOf({ text }: Page): string {
  return /name="csrfmiddlewaretoken" value="([^"]+)"/.exec(text)?.[1] ?? assert.fail("no form in the page");
}
