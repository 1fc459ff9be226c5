/** The configuration read again while the server serves: all of it takes over, or nothing. */
import assert from "node:assert/strict";
import { cpSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { suite, test } from "node:test";

import { command, type CommandResult } from "../support/command.ts";
import { ask, common, Folder } from "../support/configuration.ts";
import { Gates } from "../support/gates.ts";
import { startLoad } from "../support/load.ts";
import { type Maitred, runMaitred, startMaitred } from "../support/maitred.ts";
import { repository, temporaryFolder, testApps } from "../support/places.ts";
import { RawClient } from "../support/raw-client.ts";

suite("a reload", () => {
  const start = async (
    text: string,
    ...more: string[]
  ): Promise<{
    folder: Folder;
    server: Maitred;
    reload: () => Promise<CommandResult>;
    get: (path: string, host?: string) => Promise<string>;
  }> => {
    const folder = new Folder();
    folder.write(common + text);
    const server = await startMaitred(["-c", folder.file, ...more]);
    await server.waitForLine(/Serving wsgi_app:application/);
    return {
      folder,
      server,
      reload: () => command(["reload", "-p", String(server.pid)]),
      get: async (path, host = "localhost") => (await ask(server.port, host, path)).text,
    };
  };

  test("brings new routes, sites, limits and pools, and lets go of pools, while requests are answered", async () => {
    const { folder, server, reload, get } = await start(`
[[route]]
path = "/new"
respond = "not yet"
[pools.early]
workers = 1
[[route]]
path = "/parents"
pool = "early"
`);
    await server.waitForLine(/Pool early: Serving/);
    const load = [startLoad(server.port, "/new", 2), startLoad(server.port, "/parents", 2)];
    for (const one of load) await one.until((answers) => answers.size === 1, "the first answer");
    folder.write(`${common}
limit-request-body = 5
server-header = false
[[route]]
path = "/new"
respond = "now"
[pools.late]
workers = 2
[[route]]
path = "/parents"
pool = "late"
[[site]]
hosts = "a.example"
[[site.route]]
path = "/"
respond = "a site"
`);
    assert.deepEqual(await reload(), { code: 0, stdout: "Reloaded: 3 new workers serve\n", stderr: "" });
    await load[0]!.until((answers) => answers.has("now"), "the new route");
    await load[1]!.until((answers) => answers.size === 3, "both workers of the new pool");
    assert.equal(await get("/", "a.example"), "a site");
    const client = await RawClient.open(server.port);
    await client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    const { headers } = await client.response();
    assert.equal(headers["server"], undefined, "fields as well");
    client.leave();
    assert.equal((await ask(server.port, "localhost", "/echo", { method: "POST", body: "123456" })).status, 413);
    await server.waitForLine(/Pool early: Has left/);
    for (const one of load) await one.stop();
    assert.deepEqual(
      load.flatMap(({ failures }) => failures),
      [],
    );
    const status = JSON.parse((await command(["status", "--json", "-p", String(server.pid)])).stdout) as {
      pools: { name: string; wanted: number; patterns: string[] }[];
      configuration: unknown;
    };
    assert.deepEqual(status.configuration, { file: folder.file, sites: 2, routes: 3 });
    await server.waitForLine(
      /Configuration: .*maitred\.toml \(1 site, 2 routes\)[^]*maitred\.toml \(2 sites, 3 routes\)/,
    );
    assert.deepEqual(
      status.pools.map(({ name, wanted, patterns }) => `${name} ${wanted} ${patterns.join()}`),
      ["main 1 ", "late 2 /parents"],
    );
    assert.deepEqual(await server.stop(), { code: 0, signal: null });
    folder.remove();
  });

  test("of a bad file changes nothing and says why, by command and by signal", async () => {
    const { folder, server, reload, get } = await start('[[route]]\npath = "/r"\nrespond = "old"\n');
    folder.write(`${common}\nworkrs = 3\n[[route]]\npath = "/r"\nrespond = 99\n`);
    const told = await reload();
    assert.equal(told.code, 1);
    assert.deepEqual(told.stderr.replaceAll(folder.file, "maitred.toml").split("\n"), [
      "maitred: error: the configuration has 2 mistakes, nothing has changed",
      "maitred.toml:7: workrs is no key of the configuration, did you mean workers?",
      "maitred.toml:10: respond = 99 is too small: the least is 200",
      "",
    ]);
    assert.equal(await get("/r"), "old");
    folder.write("= nonsense");
    server.signal("SIGHUP");
    await server.waitForLine(/maitred\.toml:1: column 1: /);
    await server.waitForLine(/Reload failed: the configuration has 1 mistake, nothing has changed/);
    folder.remove();
    server.signal("SIGHUP");
    await server.waitForLine(/maitred\.toml cannot be read: there is no such file/);
    assert.equal(await get("/r"), "old");
    assert.equal(server.stderr().match(/Booting worker/g)?.length, 1, "no worker was started for them");
    assert.deepEqual(await server.stop(), { code: 0, signal: null });
  });

  test("with a file of users that is missing or has bad lines is refused, at the start too", async () => {
    const { folder, server, reload, get } = await start('[[route]]\npath = "/r"\nrespond = "old"\n');
    const users = join(folder.path, "users");
    const route = `[[route]]\npath = "/r"\nrespond = "new"\nbasic-auth = { file = "${users}" }\n`;
    folder.write(common + route);
    const missing = await reload();
    assert.equal(missing.code, 1);
    assert.match(missing.stderr, /maitred\.toml:9: basic-auth\.file: there is no file \S+\/users\n/);
    writeFileSync(users, "alice:open sesame\n\nbob\n");
    const bad = await reload();
    assert.match(bad.stderr, /the configuration has 2 mistakes, nothing has changed/);
    assert.match(
      bad.stderr,
      /maitred\.toml:9: basic-auth\.file: \S+\/users:1: what stands for user "alice" is no hash/,
    );
    assert.match(bad.stderr, /maitred\.toml:9: basic-auth\.file: \S+\/users:3: this is not name:hash/);
    assert.equal(await get("/r"), "old");
    const begun = await runMaitred(["-c", folder.file]);
    assert.equal(begun.code, 2);
    assert.match(begun.stderr, /users:1: .*[^]*users:3: /);
    assert.doesNotMatch(begun.stderr, /sesame/);
    assert.deepEqual(await server.stop(), { code: 0, signal: null });
    folder.remove();
  });

  test("whose app cannot start keeps the old routes, and the old app in every pool", async () => {
    const { folder, server, reload, get } = await start(`
[pools.other]
app = "mounted:wsgi"
[[route]]
path = "/r"
respond = "old"
[[route]]
path = "/other"
pool = "other"
`);
    await server.waitForLine(/Pool other: Serving/);
    folder.write(`${common}
threads = 3
[pools.other]
app = "breaks_on_import:app"
[pools.more]
[[route]]
path = "/r"
respond = "new"
[[route]]
path = "/other"
pool = "other"
`);
    const told = await reload();
    assert.equal(told.code, 1);
    assert.match(told.stderr, /pool other: .*breaks_on_import/s);
    assert.equal(await get("/r"), "old");
    assert.equal((JSON.parse(await get("/other")) as { kind: string }).kind, "wsgi");
    await server.waitForLine(/Pool more: Has left/);
    assert.match(server.stderr(), /is ready: wsgi, 3 threads[^]*is ready: wsgi, 1 thread,/);
    folder.write(`${common}\n[[route]]\npath = "/r"\nrespond = "mended"\n`);
    assert.equal((await reload()).code, 0);
    assert.equal(await get("/r"), "mended");
    assert.deepEqual(await server.stop(), { code: 0, signal: null });
    folder.remove();
  });

  test("takes a new number of workers, new threads and a new app; what wants a restart is named", async () => {
    const { folder, server, reload, get } = await start("");
    folder.write(`
app = "mounted:wsgi"
bind = "127.0.0.1:1"
chdir = "${testApps}"
workers = 2
threads = 2
log-level = "debug"
`);
    const told = await reload();
    assert.equal(told.stdout, "Reloaded: 2 new workers serve\nConfiguration: restart to apply bind, log-level\n");
    await server.waitForLine(/WARNING\] Configuration: restart to apply bind, log-level/);
    assert.match(server.stderr(), /is ready: wsgi, 2 threads/);
    assert.equal((JSON.parse(await get("/x")) as { kind: string }).kind, "wsgi");
    assert.deepEqual(await server.stop(), { code: 0, signal: null });
    folder.remove();
  });

  test("a request that is at work goes on with the routes that it came by", async () => {
    const gates = new Gates();
    const folder = new Folder();
    folder.write(common);
    const server = await startMaitred(["-c", folder.file], { env: gates.env });
    const held = ask(server.port, "localhost", "/hold?name=a");
    await server.waitForLine(/holding a in/);
    folder.write(`${common}\n[[route]]\npath = "/hold"\nrespond = 410\n`);
    server.signal("SIGHUP");
    await server.waitForLine(/Reload: 1 new workers serve/);
    assert.equal((await ask(server.port, "localhost", "/hold?name=b")).status, 410);
    gates.open("a");
    assert.match((await held).text, /^held a/);
    assert.deepEqual(await server.stop(), { code: 0, signal: null });
    folder.remove();
  });

  test("under --reload new routes and pools are there at once", async () => {
    const { folder, server, reload, get } = await start("", "--reload");
    folder.write(
      `${common}\n[pools.more]\n[[route]]\npath = "/r"\nrespond = "new"\n[[route]]\npath = "/pid"\npool = "more"\n`,
    );
    assert.equal((await reload()).code, 0);
    assert.equal(await get("/r"), "new");
    assert.match(await get("/pid"), /^\d+$/);
    assert.deepEqual(await server.stop(), { code: 0, signal: null });
    folder.remove();
  });

  test("under --reload a file that is saved is read at once, and a bad one changes nothing", async () => {
    const { folder, server, get } = await start('[[route]]\npath = "/r"\nrespond = "one"\n', "--reload");
    await server.waitForLine(/is ready/);
    folder.write(`${common}\n[[route]]\npath = "/r"\nrespond = "two"\n`);
    await server.waitForLine(/maitred\.toml has changed[^]*Reloaded in/);
    assert.equal(await get("/r"), "two");
    folder.write("bogus = 1");
    await server.waitForLine(/Reload failed: the configuration has \d mistakes?, nothing has changed/);
    assert.equal(await get("/r"), "two");
    assert.deepEqual(await server.stop(), { code: 0, signal: null });
    folder.remove();
  });

  test("with a new pool or an upstream that cannot be had changes nothing", async () => {
    const { folder, server, reload, get } = await start('[[route]]\npath = "/r"\nrespond = "old"\n');
    folder.write(`${common}[[route]]\npath = "/r"\napp = "breaks_on_import:app"\n`);
    const told = await reload();
    assert.equal(told.code, 1);
    assert.match(told.stderr, /pool breaks_on_import: /);
    await server.waitForLine(/Pool breaks_on_import: Reload failed, it cannot start \(breaks_on_import:app\)/);
    folder.write(
      `${common}[[route]]\npath = "/r"\nupstream = { url = "https://127.0.0.1:1", tls = { ca = "/nowhere/ca.pem" } }\n`,
    );
    assert.equal((await reload()).code, 1);
    await server.waitForLine(/there is no file \/nowhere\/ca\.pem/);
    assert.equal(await get("/r"), "old");
    assert.deepEqual(await server.stop(), { code: 0, signal: null });
    folder.remove();
  });

  test("that needs code which an upgrade in place has taken away changes nothing and says so", async () => {
    const copy = temporaryFolder();
    for (const name of ["bin", "dist", "package.json"])
      cpSync(join(repository, name), join(copy, name), { recursive: true });
    symlinkSync(join(repository, "python"), join(copy, "python"));
    const folder = new Folder();
    folder.write(`${common}[[route]]\npath = "/r"\nrespond = "old"\n`);
    const server = await startMaitred(["-c", folder.file], {
      env: { MAITRED_NODE: process.execPath },
      before: ["sh", "-c", 'shift; exec "$0" "$@"', join(copy, "bin/maitred")],
    });
    const upstream = readdirSync(join(copy, "dist")).filter((name) => name.startsWith("upstream-"));
    assert.equal(upstream.length, 1, "the client library is a file of its own");
    rmSync(join(copy, "dist", upstream[0]!));
    folder.write(`${common}[[route]]\npath = "/r"\nupstream = "http://127.0.0.1:1"\n`);
    const told = await command(["reload", "-p", String(server.pid)]);
    assert.equal(told.code, 1);
    assert.match(told.stderr, /maitred's own files have been replaced since this process started: USR2 or a restart/);
    assert.equal((await ask(server.port, "localhost", "/r")).text, "old");
    assert.deepEqual(await server.stop(), { code: 0, signal: null });
    folder.remove();
  });
});
