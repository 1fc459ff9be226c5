/** --reload, as a developer lives with it: real files saved as editors save them, answers by the new code, tracebacks in the page. */
import assert from "node:assert/strict";
import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { suite, test } from "node:test";

import { Browser } from "../support/browser.ts";
import { startMaitred, type Maitred } from "../support/maitred.ts";
import { temporaryFolder } from "../support/places.ts";

const app = (answer: string, before = ""): string => `${before}
def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [str(${answer}).encode()]
`;

class House {
  readonly folder = temporaryFolder();
  server!: Maitred;
  browser!: Browser;
  #reloads = 0;

  write(name: string, text: string): void {
    writeFileSync(join(this.folder, name), text);
  }

  async start(...args: readonly string[]): Promise<this> {
    this.server = await startMaitred(
      [
        "-b",
        "127.0.0.1:0",
        "--reload",
        "--chdir",
        this.folder,
        ...args,
        ...(args.includes("main:app") ? [] : ["main:app"]),
      ],
      // Saves within one second and of one length would look the same to the bytecode cache.
      { env: { PYTHONDONTWRITEBYTECODE: "1" } },
    );
    this.browser = new Browser(this.server.port);
    return this;
  }

  /** Waits for one more reload. */
  async reloaded(): Promise<void> {
    this.#reloads++;
    await this.server.waitForLine(new RegExp(Array.from({ length: this.#reloads }, () => "Reloaded in").join("[^]*")));
  }

  async get(): Promise<string> {
    return (await this.browser.get("/")).text;
  }

  async stop(): Promise<void> {
    this.browser.close();
    assert.deepEqual(await this.server.stop(), { code: 0, signal: null });
  }
}

for (const engine of ["inotify", "poll"]) {
  suite(`--reload-engine ${engine}`, () => {
    test("a save is answered by the new code: written in place, renamed over, added, removed, many at once", async () => {
      const house = new House();
      house.write("main.py", app("'one'"));
      await house.start("--reload-engine", engine);
      assert.equal(await house.get(), "one");
      assert.match(house.server.stderr(), /with 1 worker \(--reload\)/);

      house.write("main.py", app("'in place'"));
      await house.server.waitForLine(/Reloading: main\.py changed/);
      // The request is held until the new code is there.
      assert.equal(await house.get(), "in place");
      await house.reloaded();

      writeFileSync(join(house.folder, "main.py~tmp"), app("'renamed'"));
      renameSync(join(house.folder, "main.py~tmp"), join(house.folder, "main.py"));
      await house.reloaded();
      assert.equal(await house.get(), "renamed");

      mkdirSync(join(house.folder, "parts/deep"), { recursive: true });
      house.write("parts/__init__.py", "");
      house.write("parts/deep/__init__.py", "value = 'new folder'\n");
      house.write("main.py", app("value", "from parts.deep import value"));
      await house.reloaded();
      assert.equal(await house.get(), "new folder");

      house.write("parts/deep/__init__.py", "value = 'deep'\n");
      await house.reloaded();
      assert.equal(await house.get(), "deep");

      rmSync(join(house.folder, "parts"), { recursive: true });
      house.write("main.py", app("'removed'"));
      await house.reloaded();
      assert.equal(await house.get(), "removed");

      for (let index = 0; index < 40; index++) house.write(`module_${index}.py`, `value = ${index}\n`);
      house.write("main.py", app("value", "from module_39 import value"));
      await house.reloaded();
      assert.equal(await house.get(), "39");
      assert.match(house.server.stderr(), /Reloading: \S+, \S+, \S+ and \d+ more changed/);
      await house.stop();
    });

    test("broken code shows its traceback until it is mended", async () => {
      const house = new House();
      house.write("main.py", app("'good'"));
      await house.start("--reload-engine", engine);
      house.write("main.py", `${app("'bad'")}raise ValueError("<b>5 & 6</b>")\n`);
      await house.server.waitForLine(/No worker is ready: importing 'main' raised ValueError/);
      const page = await house.browser.get("/", { accept: "text/html,application/xhtml+xml" });
      assert.equal(page.status, 500);
      assert.equal(page.headers["content-type"], "text/html; charset=utf-8");
      assert.match(page.text, /ValueError: &#60;b&#62;5 &#38; 6&#60;\/b&#62;/);
      assert.doesNotMatch(page.text, /<b>/);
      const text = await house.browser.get("/");
      assert.equal(text.headers["content-type"], "text/plain; charset=utf-8");
      assert.match(text.text, /main\.py", line 5[^]*ValueError: <b>5 & 6<\/b>/);
      assert.equal((await house.browser.ask("/", { method: "POST", body: "x".repeat(100_000) })).status, 500);

      house.write("main.py", "def app(:\n");
      await house.server.waitForLine(/No worker is ready: importing 'main' raised SyntaxError/);
      assert.match(await house.get(), /SyntaxError/);
      house.write("main.py", app("'mended'"));
      await house.reloaded();
      assert.equal(await house.get(), "mended");
      await house.stop();
    });
  });
}

test("an application that is broken at the first start is served as soon as it is mended", async () => {
  const house = new House();
  house.write("main.py", "import helper\n");
  house.write("helper.py", "1 / 0\n");
  await house.start();
  assert.match(await house.get(), /helper\.py", line 1[^]*ZeroDivisionError/);
  house.write("helper.py", "");
  await house.server.waitForLine(/No worker is ready: 'main' has no attribute 'app'/);
  house.write("main.py", app("'at last'"));
  await house.reloaded();
  assert.equal(await house.get(), "at last");
  await house.stop();
});

test("requests wait while the application restarts, also those that come before it is imported", async () => {
  const house = new House();
  const gate = join(house.folder, "gate");
  house.write("main.py", app("'old'"));
  await house.start();
  house.write(
    "main.py",
    app(
      "'new'",
      `import os, time\nprint("importing", flush=True)\nwhile not os.path.exists(${JSON.stringify(gate)}): time.sleep(0.01)\n`,
    ),
  );
  await house.server.waitForLine(/importing/);
  const held = [house.get(), house.get(), house.browser.ask("/", { method: "POST", body: "x" })];
  writeFileSync(gate, "");
  const [first, second, third] = await Promise.all(held);
  assert.deepEqual([first, second, (third as { text: string }).text], ["new", "new", "new"]);
  await house.stop();
});

test("a save while the application starts begins again; a hanging import does not stop the next save", async () => {
  const house = new House();
  house.write("main.py", app("'old'"));
  await house.start();
  house.write("main.py", `print("hanging", flush=True)\nimport time\ntime.sleep(600)\n`);
  await house.server.waitForLine(/hanging/);
  house.write("main.py", app("'new'"));
  await house.reloaded();
  assert.equal(await house.get(), "new");
  await house.stop();
});

test("what does not belong to the application changes nothing; what is included or imported does", async () => {
  const house = new House();
  const elsewhere = temporaryFolder();
  for (const folder of ["__pycache__", "node_modules", ".git", "env", "data"]) mkdirSync(join(house.folder, folder));
  house.write("env/pyvenv.cfg", "");
  writeFileSync(join(elsewhere, "library.py"), "value = 1\n");
  writeFileSync(join(elsewhere, "settings.yml"), "a");
  house.write(".env", "a");
  house.write("page.html", "a");
  symlinkSync(house.folder, join(house.folder, "loop"));
  house.write("main.py", app("(library.value, counter)", "import library, os\ncounter = os.getpid()"));
  await house.start(
    ...`--pythonpath ${elsewhere} --reload-dir ${house.folder} --reload-exclude data`.split(" "),
    ...["--reload-include", "*.html .env", "--reload-extra-file", join(elsewhere, "*.yml")].values(),
  );
  const before = await house.get();
  for (const name of [
    "__pycache__/a.py",
    "node_modules/a.py",
    ".git/a.py",
    "env/a.py",
    "data/a.py",
    "notes.txt",
    ".#main.py",
  ])
    house.write(name, "1");
  // Told after all of those, so they have been looked at.
  writeFileSync(join(elsewhere, "library.py"), "value = 2\n");
  await house.reloaded();
  assert.match(house.server.stderr(), /Reloading: \S*\/library\.py changed/);
  assert.match(await house.get(), /^\(2, /);
  assert.notEqual(await house.get(), before);
  house.write("page.html", "b");
  await house.reloaded();
  house.write(".env", "b");
  await house.reloaded();
  writeFileSync(join(elsewhere, "settings.yml"), "b");
  await house.reloaded();
  assert.match(
    house.server.stderr(),
    /Reloading: page\.html changed[^]*Reloading: \.env changed[^]*Reloading: \S*settings\.yml changed/,
  );
  await house.stop();
});

test("SIGHUP restarts too, and a module that hides one of the standard library is found", async () => {
  const house = new House();
  house.write("main.py", app("'plain'", "import colorsys"));
  await house.start();
  house.server.signal("SIGHUP");
  await house.server.waitForLine(/Reloading: asked for/);
  await house.reloaded();
  house.write("colorsys.py", "value = 'mine'\n");
  await house.reloaded();
  house.write("main.py", app("colorsys.value", "import colorsys"));
  await house.reloaded();
  assert.equal(await house.get(), "mine");
  await house.stop();
});

test("ASGI: a stream of the old code does not hold up the new, and lifespan shutdown runs", async () => {
  const house = new House();
  const asgi = (answer: string): string => `import asyncio
async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        print("shutdown of ${answer}", flush=True)
        await send({"type": "lifespan.shutdown.complete"})
        return
    await send({"type": "http.response.start", "status": 200, "headers": []})
    if scope["path"] == "/stream":
        while True:
            await send({"type": "http.response.body", "body": b"tick", "more_body": True})
            await asyncio.sleep(0.05)
    await send({"type": "http.response.body", "body": b"${answer}"})
`;
  house.write("main.py", asgi("old"));
  await house.start();
  const stream = await house.browser.open("/stream");
  const cut = new Promise<Error>((resolve) => stream.once("error", resolve));
  stream.resume();
  house.write("main.py", asgi("new"));
  await house.reloaded();
  assert.equal(await house.get(), "new");
  // It ends with its worker, or when its time is up (2 s); the client sees that it is not whole.
  assert.match((await cut).message, /aborted/);
  assert.match(house.server.stderr(), /Cancelled in worker 1 .*which must leave \(--graceful-timeout\): GET \/stream/);
  await house.server.waitForLine(/shutdown of old/);
  await house.stop();
  assert.match(house.server.stdout(), /shutdown of new/);
});

test("a stop is heard while the application hangs at import, and while it is broken", async () => {
  for (const code of [`print("hanging", flush=True)\nimport time\ntime.sleep(600)\n`, "1 / 0\n"]) {
    const house = new House();
    house.write("main.py", app("'old'"));
    await house.start();
    house.write("main.py", code);
    await house.server.waitForLine(/hanging|No worker is ready/);
    await house.stop();
  }
});

test("several workers are restarted together where --workers asks for them", async () => {
  const house = new House();
  house.write("main.py", app("(os.getpid(), 'old')", "import os"));
  await house.start("-w", "2");
  house.write("main.py", app("(os.getpid(), 'new')", "import os"));
  await house.reloaded();
  for (let index = 0; index < 10; index++) assert.match(await house.get(), /'new'/);
  await house.stop();
});
