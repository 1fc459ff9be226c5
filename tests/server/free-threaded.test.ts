/** A Python that says it has no GIL: how many processes and threads serve. A faked one, through sitecustomize; what it says decides. */
import assert from "node:assert/strict";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { suite, test } from "node:test";

import { Browser } from "../support/browser.ts";
import { startMaitred } from "../support/maitred.ts";
import { repository, testApps } from "../support/places.ts";

const env = { PYTHONPATH: join(repository, "python/tests/apps/nogil") };
const HERE = ["-b", "127.0.0.1:0", "--chdir", testApps];

suite("a free-threaded Python", () => {
  test("serves a WSGI application by one process with a thread per CPU", async () => {
    const server = await startMaitred([...HERE, "wsgi_app:application"], { env });
    const serving = await server.waitForLine(/Serving .* \(wsgi\) with 1 worker .*/);
    const ready = await server.waitForLine(
      /Worker 1 \(pid \d+\) is ready: wsgi, (\d+) threads?, cpython [\d.]+ \(free-threaded\)/,
    );
    const browser = new Browser(server.port);
    assert.equal((await browser.get("/")).text, "hello");
    browser.close();
    assert.doesNotMatch(server.stderr(), /Worker 2/);
    if (Number(ready[1]) > 1) assert.match(serving[0], /free-threaded Python/);
    assert.deepEqual(await server.stop(), { code: 0, signal: null });
  });

  test("is told how many by -w and --threads", async () => {
    const server = await startMaitred([...HERE, "-w", "2", "--threads", "3", "wsgi_app:application"], { env });
    await server.waitForLine(/Serving .* \(wsgi\) with 2 workers \(-w 2\)/);
    assert.match(server.stderr(), /is ready: wsgi, 3 threads/);
    assert.deepEqual(await server.stop(), { code: 0, signal: null });
  });

  const skip = availableParallelism() < 2 && "one CPU has one worker anyway";
  test("serves an ASGI application by as many processes as ever, known or found out", { skip }, async () => {
    for (const args of [["-k", "asgi"], []]) {
      const server = await startMaitred([...HERE, ...args, "asgi_app:application"], { env });
      await server.waitForLine(/Serving .* \(asgi\)/);
      await server.waitForLine(/Worker 2 \(pid \d+\) is ready: asgi/);
      assert.deepEqual(await server.stop(), { code: 0, signal: null });
    }
  });
});
