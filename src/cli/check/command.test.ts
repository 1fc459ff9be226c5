/** What `maitred check` prints, whole. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { fileURLToPath } from "node:url";

const program = fileURLToPath(new URL("../main.ts", import.meta.url));

suite("maitred check", () => {
  let folder = "";
  before(() => (folder = mkdtempSync(join(tmpdir(), "maitred-check-"))));
  after(() => rmSync(folder, { recursive: true }));

  function check(text: string | null, ...args: string[]): { status: number | null; stdout: string; stderr: string } {
    const file = join(folder, "maitred.toml");
    if (text === null) rmSync(file, { force: true });
    else writeFileSync(file, text);
    const env = { PATH: process.env["PATH"] ?? "", WEB_CONCURRENCY: "3", GUNICORN_CMD_ARGS: "--threads 2" };
    const done = spawnSync(process.execPath, [program, "check", ...args], { encoding: "utf8", env, cwd: folder });
    const clean = (text: string): string => text.replaceAll(folder, "/site");
    return { status: done.status, stdout: clean(done.stdout), stderr: clean(done.stderr) };
  }

  test("says that all is well", () => {
    assert.deepEqual(check('app = "app:app"\n'), {
      status: 0,
      stdout: "maitred.toml: fine (app:app, 1 site, 0 routes, 1 pool)\n",
      stderr: "",
    });
    assert.equal(check(null, "app:app").stdout, "The options: fine (app:app, 1 site, 0 routes, 1 pool)\n");
  });

  test("tells every mistake of file, line and environment", () => {
    assert.deepEqual(check('app = "app.py"\nbindd = 1\n[[route]]\n', "-w", "0"), {
      status: 2,
      stdout: "",
      stderr: `maitred: error: maitred.toml:1: app = "app.py" names no application: app.py is a file, not a module, did you mean app:app?
maitred: error: maitred.toml:2: bindd is no key of the configuration, did you mean bind?
maitred: error: maitred.toml:3: path is missing: it is a text or a list
maitred: error: -w 0 would serve nothing: give 1 or more, or leave it out for one worker per CPU
4 mistakes: nothing would start
`,
    });
    assert.equal(check("x", "--bogus").status, 2);
  });

  test("looks at the certificates", () => {
    writeFileSync(join(folder, "bad.pem"), "no certificate");
    const { status, stderr } = check('app = "app:app"\ncertfile = "bad.pem"\n');
    assert.equal(status, 2);
    assert.match(stderr, /^maitred: error: maitred\.toml:2: \/site\/bad\.pem.*\n1 mistake: nothing would start\n$/);
  });

  test("looks at files and folders whatever else is wrong, each in the line that names it", () => {
    mkdirSync(join(folder, "public"), { recursive: true });
    writeFileSync(join(folder, "page.odt"), "");
    writeFileSync(join(folder, "users"), "# staff\nalice\nbob:secret\n");
    const { status, stderr } = check(`app = "app:app"
certfile = ["bad.pem", "none.pem"]
workrs = 3
spool-dir = "nowhere"
cache-disk = "users/cache"
pid = "nowhere/pid"

[error-pages]
404 = ["page.odt", "public"]
5xx = "gone.html"

[[route]]
path = "/static"
static = { root = "assets", listng = true }

[[route]]
path = "/public"
static = "public"
basic-auth = { file = "users" }

[[site]]
hosts = "a.example"
maintenance = { page = "down.html", retry-after = "soon" }
accel = { "/a" = "users", "/b" = "later" }

[[site.route]]
path = "/b"
upstream = { url = "https://b.example", tls = { ca = "ca.pem" } }

[[site.route]]
path = "/c"
basic-auth = { file = "nobody" }
`);
    assert.equal(status, 2);
    assert.deepEqual(
      stderr.split("\n").map((line) => line.replace(/^maitred: error: maitred\.toml:/, "")),
      [
        '2: /site/bad.pem holds no certificate: it must have a "-----BEGIN CERTIFICATE-----" block',
        "2: /site/none.pem does not exist",
        "3: workrs is no key of the configuration, did you mean workers?",
        "4: spool-dir = nowhere: /site/nowhere is not a folder",
        "5: cache-disk = users/cache: /site/users is not a folder",
        "6: pid = nowhere/pid: there is no folder /site/nowhere",
        "9: error-pages.404: /site/page.odt is of no known type: name it .html, .json, .txt or .xml",
        "9: error-pages.404: /site/public is a folder, but a file is wanted",
        "10: error-pages.5xx: there is no file /site/gone.html",
        "14: listng is no key of route.static, did you mean listing?",
        "14: static.root: there is no folder /site/assets to serve",
        "19: basic-auth.file: /site/users:2: this is not name:hash",
        '19: basic-auth.file: /site/users:3: what stands for user "bob" is no hash of a password: make one with "maitred password", "htpasswd -B" or "openssl passwd -6"',
        '23: retry-after = "soon" is not a time span: write seconds, or a number with ms, s, m or h ("30", "1.5", "500ms", "2m")',
        "23: maintenance.page: there is no file /site/down.html",
        "24: accel./a: /site/users is not a folder",
        "28: upstream.tls.ca: there is no file /site/ca.pem",
        "32: basic-auth.file: there is no file /site/nobody",
        "18 mistakes: nothing would start",
        "",
      ],
    );
  });

  test("tells what is not there yet, and what need not be", () => {
    const { status, stdout, stderr } = check('app = "app:app"\nsendfile-roots = ["later"]\ncache-disk = "new/cache"\n');
    assert.equal(status, 0);
    assert.match(stdout, /fine/);
    assert.equal(
      stderr,
      "maitred: notice: maitred.toml:2: sendfile-roots: there is no folder /site/later yet: nothing can be sent from it\n",
    );
    const wrong = check(null, "app:app", "--pid", "nowhere/pid", "--spool-dir", "/dev/null", "--accel", "/a=/dev/null");
    assert.equal(wrong.status, 2);
    assert.match(wrong.stderr, /error: --pid nowhere\/pid: there is no folder \/site\/nowhere\n/);
    assert.match(wrong.stderr, /error: --spool-dir \/dev\/null: \/dev\/null is not a folder\n/);
  });

  test("explains each value, and the routes in the order they are tried", () => {
    const { status, stdout, stderr } = check(
      `app = "app:app"
timeout = "20s"
limit-request-body = "1m"
env = { KEY = "value of it" }
ssl-keyfile-password = "hush"

[[route]]
path = "/"
timeout = 60

[[route]]
path = "/old"
redirect = "/new"

[[site]]
hosts = ["a.example", "*.a.example"]
timeout = "7s"

[[site.route]]
path = "/x"
match = { methods = ["GET"] }

[[site.route]]
path = "/x"
limit-request-body = 0
respond = { body = "hi" }

[[site.route]]
path = "/x/y$"
pool = "main"
`,
      "--explain",
      "-b",
      ":0",
      "-b",
      ":1",
    );
    assert.deepEqual(
      [status, stderr],
      [0, "maitred: notice: ssl-keyfile-password (maitred.toml:5) has no effect without --certfile\n"],
    );
    // Without defaults and the titles of sections.
    const told = stdout.split("\n").filter((line) => !/^$|# default(:|$)|^# [A-Z][\w/ ]*$/.test(line));
    assert.equal(
      told.join("\n"),
      `# Configuration file: /site/maitred.toml
app = "app:app"                              # maitred.toml:1
bind = [":0", ":1"]                          # -b
ssl-keyfile-password = "***"                 # maitred.toml:5
workers = 3                                  # WEB_CONCURRENCY
threads = 2                                  # --threads in GUNICORN_CMD_ARGS
env = ["KEY=***"]                            # maitred.toml:4
timeout = "20s"                              # maitred.toml:2
limit-request-body = "1m"                    # maitred.toml:3
# Sites, and their routes in the order they are tried
# [a.example, *.a.example] (maitred.toml:15)
#   /x/y$ (maitred.toml:28): pool main
#       pool = "main"                                # maitred.toml:30
#       timeout = "7s"                               # maitred.toml:17
#   /x (maitred.toml:19) [GET]: pool main
#       timeout = "7s"                               # maitred.toml:17
#   /x (maitred.toml:23): respond
#       limit-request-body = 0                       # maitred.toml:25
#       respond = { body = "hi" }                    # maitred.toml:26
#       timeout = "7s"                               # maitred.toml:17
#   everything else: pool main
#       timeout = "7s"                               # maitred.toml:17
# [all other hosts]
#   /old (maitred.toml:11): redirect
#       redirect = "/new"                            # maitred.toml:13
#   / (maitred.toml:7): pool main
#       timeout = 60                                 # maitred.toml:9
#   everything else: pool main`,
    );
    assert.match(stdout, /^# backlog +# default: 2048$/m);
  });

  test("prints a JSON Schema", () => {
    const { status, stdout } = check(null, "--schema");
    assert.equal(status, 0);
    const schema = JSON.parse(stdout) as { properties: Record<string, { type?: string }> };
    assert.equal(schema.properties["preload"]?.type, "boolean");
    assert.equal(schema.properties["route"]?.type, "array");
    assert.equal(schema.properties["version"], undefined);
  });

  test("is what gunicorn's options for it do", () => {
    writeFileSync(join(folder, "maitred.toml"), "bindd = 1\n");
    const ask = (...args: string[]): string => {
      const env = { PATH: process.env["PATH"] ?? "" };
      const done = spawnSync(process.execPath, [program, ...args], { encoding: "utf8", env, cwd: folder });
      return `${done.status} ${done.stdout}${done.stderr}`;
    };
    assert.match(ask("--check-config", "app:app"), /^2 maitred: error: maitred\.toml:1: bindd is no key/);
    writeFileSync(join(folder, "maitred.toml"), "workers = 2\n");
    assert.match(ask("app:app", "--check-config"), /^0 maitred\.toml: fine/);
    assert.match(ask("--print-config", "app:app"), /^0 # Configuration file: .*^workers = 2 +# maitred\.toml:1$/ms);
  });

  test("has its own help", () => {
    assert.match(check(null, "--help").stdout, /^Usage: maitred check/);
  });
});
