/** SIGHUP: new code takes over when it is ready, and only then; what cannot start changes nothing. */
import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { suite, test } from "node:test";

import { Browser } from "../support/browser.ts";
import { startMaitred, type Maitred } from "../support/maitred.ts";
import { temporaryFolder } from "../support/places.ts";

const WSGI = (answer: string, before = ""): string => `${before}
def app(environ, start_response):
    environ["wsgi.input"].read()
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [${JSON.stringify(answer)}.encode()]
`;

const ASGI = (answer: string, before = ""): string => `${before}
STARTS = True
async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        await receive()
        if not STARTS:
            await send({"type": "lifespan.startup.failed", "message": "the database is away"})
            return
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await send({"type": "lifespan.shutdown.complete"})
        return
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": ${JSON.stringify(answer)}.encode()})
`;

interface House {
  readonly server: Maitred;
  readonly browser: Browser;
  readonly write: (code: string) => void;
}

async function house(code: string, ...args: string[]): Promise<House> {
  const folder = temporaryFolder();
  // Two saves within one second and of one length would look the same to the bytecode cache.
  const env = { PYTHONDONTWRITEBYTECODE: "1" };
  const write = (text: string): void => writeFileSync(join(folder, "site_app.py"), text);
  write(code);
  const server = await startMaitred(["-b", "127.0.0.1:0", "-w", "2", "--chdir", folder, ...args, "site_app:app"], {
    env,
  });
  await server.waitForLine(/Serving site_app:app/);
  return { server, browser: new Browser(server.port), write };
}

/** Waits for the nth line of a kind. */
async function lines(server: Maitred, pattern: string, count: number): Promise<void> {
  await server.waitForLine(new RegExp(Array.from({ length: count }, () => pattern).join("[^]*")));
}

const BROKEN: readonly (readonly [name: string, code: string, traceback: RegExp])[] = [
  ["a SyntaxError", "def app(:\n", /site_app\.py", line 1[^]*SyntaxError/],
  ["an ImportError", "import no_such_module_at_all\n", /import no_such_module_at_all[^]*ModuleNotFoundError/],
  ["an exception at import", "raise RuntimeError('no settings')\n", /RuntimeError: no settings/],
  ["lifespan's startup.failed", `${ASGI("x")}\nSTARTS = False\n`, /the database is away/],
  ["an exit", "import os; os._exit(7)\n", /exit code 7/],
  ["no application", "other = 1\n", /no attribute 'app'|neither/],
];

for (const preload of [[], ["--preload"]]) {
  suite(`SIGHUP ${preload.join(" ") || "without --preload"}`, () => {
    test("brings new code, new files and a new environment of Python", async () => {
      const { server, browser, write } = await house(WSGI("one"), ...preload);
      assert.equal((await browser.get("/")).text, "one");
      write(WSGI("two"));
      server.signal("SIGHUP");
      await server.waitForLine(/Reload: 2 new workers serve/);
      assert.equal((await browser.get("/")).text, "two");
      assert.deepEqual(await server.stop(), { code: 0, signal: null });
    });

    test("broken code changes nothing but the log, and mended code is served", async () => {
      const { server, browser, write } = await house(WSGI("old"), ...preload);
      for (const [index, [name, code, traceback]] of BROKEN.entries()) {
        write(code);
        server.signal("SIGHUP");
        await lines(server, "Reload failed, the old workers go on serving", index + 1);
        assert.equal((await browser.get("/")).text, "old", name);
        if (!(name === "an exit" && preload.length > 0)) assert.match(server.stderr(), traceback, name);
      }
      write(WSGI("mended"));
      server.signal("SIGHUP");
      await server.waitForLine(/Reload: 2 new workers serve/);
      assert.equal((await browser.get("/")).text, "mended");
      assert.deepEqual(await server.stop(), { code: 0, signal: null });
    });

    test("under load, GET and POST on keep-alive connections, no request is lost", async () => {
      const { server, write } = await house(WSGI("0"), ...preload);
      const seen = new Set<string>();
      const failures: string[] = [];
      let wanted = true;
      const clients = Array.from({ length: 8 }, async (_, index) => {
        const browser = new Browser(server.port, 1);
        while (wanted) {
          try {
            const page = await browser.ask("/", index % 2 === 0 ? {} : { method: "POST", body: "x".repeat(3000) });
            if (page.status === 200) seen.add(page.text);
            else failures.push(`${page.status} ${page.text}`);
          } catch (error) {
            failures.push(String(error));
          }
        }
        browser.close();
      });
      for (let round = 1; round <= 3; round++) {
        write(WSGI(String(round)));
        server.signal("SIGHUP");
        await lines(server, "Reload: 2 new workers serve", round);
      }
      const last = new Browser(server.port);
      assert.equal((await last.get("/")).text, "3");
      wanted = false;
      await Promise.all(clients);
      assert.deepEqual(failures, []);
      assert.ok(seen.has("0"), [...seen].join());
      assert.deepEqual(await server.stop(), { code: 0, signal: null });
    });
  });
}

test("new workers that hang at import are given up after --reload-timeout, with their stacks", async () => {
  const { server, browser, write } = await house(WSGI("old"), "--reload-timeout", "1");
  write(WSGI("never", "import time\ntime.sleep(600)\n"));
  server.signal("SIGHUP");
  await server.waitForLine(/Reload failed, the old workers go on serving: not ready within 1 s \(--reload-timeout\)/);
  assert.match(server.stderr(), /site_app\.py", line 2/);
  assert.equal((await browser.get("/")).text, "old");
  assert.deepEqual(await server.stop(), { code: 0, signal: null });
});

test("a preloading zygote that hangs is given up likewise", async () => {
  const { server, browser, write } = await house(WSGI("old"), "--preload", "--reload-timeout", "500ms");
  write("import time\ntime.sleep(600)\n");
  server.signal("SIGHUP");
  await server.waitForLine(/Reload failed, the old workers go on serving: not ready within 0.5 s/);
  assert.equal((await browser.get("/")).text, "old");
  assert.deepEqual(await server.stop(), { code: 0, signal: null });
});

test("reloads asked for while one is under way become one that follows it", async () => {
  const folder = temporaryFolder();
  mkdirSync(join(folder, "gate"));
  const { server, browser, write } = await house(WSGI("old"));
  const gate = join(folder, "gate", "open");
  write(
    WSGI(
      "middle",
      `import os, time\nprint("importing", flush=True)\nwhile not os.path.exists(${JSON.stringify(gate)}): time.sleep(0.01)\n`,
    ),
  );
  server.signal("SIGHUP");
  await server.waitForLine(/importing[^]*importing/);
  write(WSGI("newest"));
  server.signal("SIGHUP");
  await lines(server, "Reload: one is under way; another follows it", 1);
  server.signal("SIGHUP");
  await lines(server, "Reload: one is under way; another follows it", 2);
  writeFileSync(gate, "");
  await lines(server, "Reload: 2 new workers serve", 2);
  assert.equal((await browser.get("/")).text, "newest");
  assert.equal(server.stderr().match(/Reload: starting new workers/g)?.length, 2);
  assert.deepEqual(await server.stop(), { code: 0, signal: null });
});

for (const [kind, code] of [
  ["WSGI", WSGI],
  ["ASGI", ASGI],
] as const) {
  test(`--ready-url: a new ${kind} worker that does not answer 2xx does not take over`, async () => {
    const ready = (status: number): string =>
      kind === "WSGI"
        ? `\nserve = app\ndef app(environ, start_response):\n    if environ["PATH_INFO"] != "/ready": return serve(environ, start_response)\n    start_response("${status} X", [])\n    return [environ["HTTP_HOST"].encode()]\n`
        : `\nserve = app\nasync def app(scope, receive, send):\n    if scope["type"] == "lifespan" or scope["path"] != "/ready": return await serve(scope, receive, send)\n    await send({"type": "http.response.start", "status": ${status}, "headers": []})\n    await send({"type": "http.response.body", "body": b"ok"})\n`;
    const { server, browser, write } = await house(code("old") + ready(204), "--ready-url", "/ready");
    write(code("bad") + ready(503));
    server.signal("SIGHUP");
    await server.waitForLine(
      /Reload failed, the old workers go on serving: GET \/ready was answered 503 \(--ready-url\)/,
    );
    assert.equal((await browser.get("/")).text, "old");
    write(code("good") + ready(200));
    server.signal("SIGHUP");
    await server.waitForLine(/Reload: 2 new workers serve/);
    assert.equal((await browser.get("/")).text, "good");
    assert.deepEqual(await server.stop(), { code: 0, signal: null });
  });
}

test("a worker that dies of the question of --ready-url has failed to start", async () => {
  const { server, browser, write } = await house(WSGI("old"), "--ready-url", "/");
  write(`import os\ndef app(environ, start_response):\n    os._exit(9)\n`);
  server.signal("SIGHUP");
  await server.waitForLine(/Reload failed, the old workers go on serving: exit code 9/);
  assert.equal((await browser.get("/")).text, "old");
  assert.deepEqual(await server.stop(), { code: 0, signal: null });
});
