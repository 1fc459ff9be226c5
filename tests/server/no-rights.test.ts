/** A server without root's rights: files that it may not read, files that the kernel does not give it. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";

import { Browser } from "../support/browser.ts";
import { type Maitred, runMaitred, startMaitred } from "../support/maitred.ts";
import { asNobody, temporaryFolder } from "../support/places.ts";

const nobody = asNobody();
const words = "before" in nobody ? nobody.before : [];
const skip = process.platform !== "linux" ? "Linux only" : "why" in nobody ? nobody.why : false;
/** No application: any Python that this user may run will do. */
const PYTHON = "/bin/true";

/** By the user of the process: a container's root may not. */
function limitFiles(pid: number, files: number): void {
  const [first, ...rest] = [...words, "prlimit", `--pid=${pid}`, `--nofile=${files}:`];
  execFileSync(first, rest);
}

suite("as nobody", { skip }, () => {
  const folder = temporaryFolder();
  let server: Maitred;
  let browser: Browser;
  before(async () => {
    chmodSync(folder, 0o755);
    mkdirSync(join(folder, "files/closed"), { recursive: true });
    for (const name of ["open.txt", "secret.txt", "closed/inside.txt", "later.txt"])
      writeFileSync(join(folder, "files", name), name);
    for (let count = 0; count < 20; count++) writeFileSync(join(folder, `files/${count}.txt`), String(count));
    chmodSync(join(folder, "files/secret.txt"), 0);
    chmodSync(join(folder, "files/closed"), 0);
    writeFileSync(join(folder, "maitred.toml"), '[[route]]\npath = "/"\nstatic = "files"\n');
    const args = ["--python", PYTHON, "-b", "127.0.0.1:0", "--access-logfile", "-"];
    server = await startMaitred(args, { cwd: folder, before: words });
    browser = new Browser(server.port, 1);
  });
  after(async () => {
    browser.close();
    await server.stop();
    chmodSync(join(folder, "files/closed"), 0o755);
  });

  test("a file that may not be read is 403, with one complaint in the log", async () => {
    const told = (): number[] =>
      [...server.stderr().matchAll(/cannot send "\S+": EACCES[^(]*\(answered 403(?:; and (\d+) more)?/g)].map(
        ([, untold]) => 1 + Number(untold ?? 0),
      );
    const began = performance.now();
    for (let count = 0; count < 10; count++) assert.equal((await browser.get("/secret.txt")).status, 403);
    const page = await browser.get("/closed/inside.txt", { accept: "text/html" });
    assert.equal(page.status, 403);
    assert.doesNotMatch(page.text, /EACCES|inside/);
    await server.waitForLine(/GET \/secret\.txt.*: cannot send "\S+\/files\/secret\.txt": EACCES/);
    const seconds = (performance.now() - began) / 1000;
    assert.ok(told().length <= 1 + seconds, `${told().length} lines in ${seconds} s`);
    assert.equal((await browser.get("/open.txt")).text, "open.txt");
  });

  test("one that was readable, and is in memory, is 403 within about a second", async () => {
    assert.equal((await browser.get("/later.txt")).status, 200);
    chmodSync(join(folder, "files/later.txt"), 0);
    const deadline = performance.now() + 10_000;
    while ((await browser.get("/later.txt")).status !== 403) assert.ok(performance.now() < deadline);
    chmodSync(join(folder, "files/later.txt"), 0o644);
    assert.equal((await browser.get("/later.txt")).text, "later.txt");
  });

  test("a file for which the kernel has no descriptor is 503 with a line in the log, and 200 as soon as it has", async () => {
    assert.equal((await browser.get("/0.txt")).status, 200);
    // No number below the limit is free.
    const taken = new Set(readdirSync(`/proc/${server.pid}/fd`).map(Number));
    let free = 0;
    while (taken.has(free)) free++;
    limitFiles(server.pid, free);
    const page = await browser.get("/1.txt", { accept: "application/json" });
    assert.deepEqual([page.status, page.headers["retry-after"]], [503, "1"]);
    assert.doesNotMatch(page.text, /EMFILE/);
    await server.waitForLine(/cannot send "\S+\/1\.txt": EMFILE: too many open files.*\(answered 503/);
    for (let count = 2; count < 10; count++) assert.equal((await browser.get(`/${count}.txt`)).status, 503);
    limitFiles(server.pid, 1024);
    for (let count = 1; count < 20; count++) assert.equal((await browser.get(`/${count}.txt`)).text, String(count));
    const other = new Browser(server.port);
    assert.equal((await other.get("/open.txt")).status, 200);
    other.close();
  });

  test("what may not be read or written is a mistake before anything starts, with all others", async () => {
    const place = temporaryFolder();
    chmodSync(place, 0o755);
    for (const name of ["files", "spool"]) mkdirSync(join(place, name));
    for (const name of ["users", "page.html", "cert.pem"]) writeFileSync(join(place, name), "x");
    for (const name of ["files", "users", "page.html", "cert.pem"]) chmodSync(join(place, name), 0);
    chmodSync(join(place, "spool"), 0o555);
    writeFileSync(
      join(place, "maitred.toml"),
      `spool-dir = "spool"
pid = "spool/pid"
certfile = "cert.pem"
cache-disk = "spool/cache"
error-pages = { 404 = "page.html" }
[[route]]
path = "/"
static = "files"
basic-auth = { file = "users" }
`,
    );
    const args = ["--python", PYTHON, "-b", "127.0.0.1:0"];
    for (const command of [[], ["check"]]) {
      const { code, stderr } = await runMaitred([...command, ...args], { cwd: place, before: words });
      assert.equal(code, 2);
      assert.deepEqual(
        stderr
          .replaceAll(place, "")
          .split("\n")
          .flatMap((line) => /^maitred: error: maitred\.toml:(.*)$/.exec(line)?.[1] ?? []),
        [
          "1: spool-dir = spool: /spool may not be written to by this user",
          "2: pid = spool/pid: /spool may not be written to by this user",
          "3: /cert.pem may not be read by this user",
          "4: cache-disk = spool/cache: /spool may not be written to by this user",
          "5: error-pages.404: /page.html may not be read by this user",
          "8: static: /files may not be read by this user",
          "9: basic-auth.file: /users may not be read by this user",
        ],
      );
    }
  });
});
