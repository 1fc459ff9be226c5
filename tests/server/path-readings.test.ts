/** A route that protects a path protects it from every spelling that whoever answers takes for it. */
import assert from "node:assert/strict";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";

import { ask } from "../support/configuration.ts";
import { type Maitred, startMaitred } from "../support/maitred.ts";
import { temporaryFolder, testApps } from "../support/places.ts";

const start = ["-b", "127.0.0.1:0", "-w", "1", "--chdir", testApps];

/** What stands for /admin or something below it, to one server or another. */
const SPELLINGS = [
  "/admin",
  "/admin/",
  "/admin/users",
  "/%61dmin",
  "/%61%64%6d%69%6e/users",
  "//admin",
  "///admin",
  "//admin//users",
  "/admin//users",
  "/%2Fadmin",
  "/%2f%2fadmin/users",
  "/./admin",
  "/x/../admin",
  "/%2e/admin",
  "//./admin",
  "/admin/.",
  "/\\admin",
  "/%5cadmin",
  "\\admin",
  "//x/admin",
  "//x//admin",
  "/\\x/admin",
  "/%5Cx%5Cadmin",
  "///x/../admin",
  "http://h//admin",
  "http://h/%61dmin",
];

suite("a path that is denied", () => {
  let server: Maitred;
  let upstream: Server;
  before(async () => {
    // It reads a target as many scripts do.
    upstream = createServer((request, response) => {
      let path = "";
      try {
        path = new URL(request.url ?? "", "http://h").pathname;
      } catch {
        // answered as any other
      }
      response.end(path.replace(/\/+/g, "/").startsWith("/admin") ? "ADMIN" : "other");
    }).listen(0, "127.0.0.1");
    await new Promise((resolve) => upstream.once("listening", resolve));
    const folder = temporaryFolder();
    const denied = '[[site.route]]\npath = "/admin"\naccess = ["deny all"]\n';
    writeFileSync(
      join(folder, "maitred.toml"),
      `app = "path_readers:flask_app"
[[site]]
hosts = "flask.example"
${denied}
[[site]]
hosts = "django.example"
${denied}app = "path_readers:django_app"
[[site.route]]
path = "/"
app = "path_readers:django_app"
[[site]]
hosts = "upstream.example"
${denied}
[[site.route]]
path = "/"
upstream = "http://127.0.0.1:${(upstream.address() as AddressInfo).port}"
[[site]]
hosts = "open.example"
access = ["deny all"]
[[site.route]]
path = "/open"
access = ["allow all"]
upstream = "http://127.0.0.1:${(upstream.address() as AddressInfo).port}"
`,
    );
    server = await startMaitred(["-c", join(folder, "maitred.toml"), ...start]);
  });
  after(async () => {
    await server.stop();
    upstream.close();
  });

  for (const host of ["flask.example", "django.example", "upstream.example"])
    test(`is denied in every spelling (${host})`, async () => {
      for (const path of SPELLINGS) {
        const { status, text } = await ask(server.port, host, path.replace("http://h", `http://${host}`));
        assert.ok(status === 403 || status === 400 || status === 404, `${path}: ${status} ${text}`);
        assert.doesNotMatch(text, /^ADMIN/, path);
      }
      assert.equal((await ask(server.port, host, "//admin")).status, 400);
      assert.equal((await ask(server.port, host, "/%61dmin")).status, 403);
    });

  test("is not reached through one that is allowed", async () => {
    assert.equal((await ask(server.port, "open.example", "/open/x")).text, "other");
    for (const path of ["//open/admin", "/open/../admin", "/\\open/admin", "/%5copen/admin", "//open//admin"])
      assert.equal((await ask(server.port, "open.example", path)).status, 400, path);
  });

  test("empty segments that change nothing go on as they are", async () => {
    const far = await ask(server.port, "flask.example", "/web/x//y");
    assert.deepEqual([far.status, far.text], [200, "x//y"]);
    assert.equal((await ask(server.port, "flask.example", "//nothing")).status, 404, "the app's word");
  });
});

test("without routes the paths are the app's business: Flask takes //admin for /admin", async () => {
  const server = await startMaitred([...start, "path_readers:flask_app"]);
  assert.equal((await ask(server.port, "h", "//admin")).text, "ADMIN");
  await server.stop();
});
