/** `--static auto`: Django's own folders, found in its settings. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync, appendFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, suite, test } from "node:test";

import { Browser } from "../support/browser.ts";
import { ask } from "../support/configuration.ts";
import { startMaitred } from "../support/maitred.ts";
import { example, examplesPython } from "../support/places.ts";

const folder = mkdtempSync(join(tmpdir(), "maitred-auto-"));
const project = join(folder, "project");
after(() => rmSync(folder, { recursive: true }));

cpSync(example("django"), project, { recursive: true });
appendFileSync(
  join(project, "readinglist/settings.py"),
  `
STATIC_ROOT = BASE_DIR / "collected"
MEDIA_URL = "media/"
MEDIA_ROOT = BASE_DIR / "uploads"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.ManifestStaticFilesStorage"},
}
`,
);
mkdirSync(join(project, "uploads"));
writeFileSync(join(project, "uploads/picture.png"), "PNG");

suite("Django's folders", () => {
  test("are served by --static auto as soon as there is something in them", async () => {
    const server = await startMaitred(
      ["-b", "127.0.0.1:0", "-w", "1", "--chdir", project, "--static", "auto", "readinglist.wsgi"],
      { env: { READINGLIST_DATABASE: join(folder, "db.sqlite3") } },
    );
    const browser = new Browser(server.port);
    assert.equal((await browser.get("/media/picture.png")).headers["content-type"], "image/png");
    await server.waitForLine(
      /nothing is in \S+collected \(STATIC_ROOT\), so \/static\/ is left to the app: run python manage\.py collectstatic/,
    );

    execFileSync(examplesPython(), ["manage.py", "collectstatic", "--noinput"], { cwd: project });
    server.signal("SIGHUP");
    await server.waitForLine(/Serving \/static\/ from \S+collected \(STATIC_ROOT\)/);
    const manifest = JSON.parse(
      execFileSync("cat", [join(project, "collected/staticfiles.json")], { encoding: "utf8" }),
    ) as { paths: Record<string, string> };
    const hashed = await browser.get(`/static/${manifest.paths["books/style.css"]}`);
    assert.equal(hashed.headers["cache-control"], "max-age=31536000, immutable");
    assert.match(String(hashed.headers["content-type"]), /^text\/css/);
    assert.equal((await browser.get("/static/books/style.css")).headers["cache-control"], "max-age=60");
    assert.equal((await browser.get("/static/nothing.css")).status, 404);
    browser.close();
    await server.stop();
  });

  test("are served for the apps of all sites and pools, below their roots, with what protects them there", async () => {
    const place = join(folder, "several");
    for (const name of ["one", "two"]) {
      mkdirSync(join(place, name), { recursive: true });
      writeFileSync(join(place, name, "site.css"), `/* ${name} */`);
      writeFileSync(
        join(place, `${name}.py`),
        `import django
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpResponse
from django.templatetags.static import static
from django.urls import path

urlpatterns = [path("", lambda request: HttpResponse(static("site.css")))]
settings.configure(SECRET_KEY="public", ROOT_URLCONF=__name__, ALLOWED_HOSTS=["*"], INSTALLED_APPS=["django.contrib.staticfiles"],
    STATIC_URL="static/", STATIC_ROOT="${place}/${name}")
django.setup()
app = get_wsgi_application()
`,
      );
    }
    writeFileSync(
      join(place, "maitred.toml"),
      `app = "one:app"
static = ["auto"]
[[route]]
path = "/shop"
app = "two:app"
mount = true
[[site]]
hosts = "two.example"
[[site.route]]
path = "/"
app = "two:app"
access = ["deny all"]
`,
    );
    const server = await startMaitred(["-b", "127.0.0.1:0", "-w", "1"], { cwd: place });
    for (const pool of ["", " of pool two", " of pool two-2"])
      await server.waitForLine(new RegExp(`Serving \\S*static/ from \\S+ \\(STATIC_ROOT${pool}\\)`));
    const get = async (path: string, host = "localhost"): Promise<string> => {
      const { status, text, headers } = await ask(server.port, host, path);
      // Only a file has a validator here.
      return `${status} ${text}${headers["etag"] === undefined ? "" : " file"}`;
    };
    assert.equal(await get("/"), "200 /static/site.css");
    assert.equal(await get("/static/site.css"), "200 /* one */ file");
    assert.equal(await get("/shop/"), "200 /shop/static/site.css");
    assert.equal(await get("/shop/static/site.css"), "200 /* two */ file");
    assert.match(await get("/static/site.css", "two.example"), /^403 /);
    assert.equal(await get("/static/none.css"), "404 404 Not Found\n");
    await server.stop();
  });

  test("are named by the log where they are not asked for", async () => {
    const server = await startMaitred(["-b", "127.0.0.1:0", "-w", "1", "--chdir", project, "readinglist.wsgi"]);
    await server.waitForLine(/The app serves \/static\/ itself; --static auto would serve it from \S+collected/);
    await server.stop();
  });
});
