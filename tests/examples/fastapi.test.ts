/** The FastAPI example under every event loop. One worker: the kitchen's state is that of its process. */
import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";

import { Browser, readUntil } from "../support/browser.ts";
import { frameworkPromises } from "../support/framework-promises.ts";
import { startMaitred, type Maitred } from "../support/maitred.ts";
import { example } from "../support/places.ts";

const models = [
  { name: "uvloop", args: ["-k", "asgi", "-w", "1", "--asgi-loop", "uvloop"] },
  { name: "asyncio", args: ["-k", "asgi", "-w", "1", "--asgi-loop", "asyncio"] },
] as const;

for (const model of models) {
  suite(`FastAPI example on ${model.name}`, () => {
    let server: Maitred;
    let browser: Browser;

    before(async () => {
      server = await startMaitred(["-b", "127.0.0.1:0", "--chdir", example("fastapi"), ...model.args, "main:app"]);
      browser = new Browser(server.port);
    });

    after(async () => {
      browser.close();
      assert.deepEqual(await server.stop(), { code: 0, signal: null });
      await server.waitForLine(/the kitchen closes/);
    });

    test("lifespan ran before the first request, and its state is each request's", async () => {
      await server.waitForLine(/the kitchen opens/);
      const seen = JSON.parse((await browser.get("/")).text) as { opened: number; pid: number };
      const again = JSON.parse((await browser.get("/")).text) as { opened: number; pid: number };
      assert.equal(typeof seen.opened, "number");
      assert.equal(again.opened, seen.opened);
    });

    test("an order is answered at once and cooked in the background", async () => {
      const page = await browser.sendJson("/orders", { dish: "Ratatouille", portions: 2 });
      assert.equal(page.status, 201);
      const { number, ...rest } = JSON.parse(page.text) as { number: number };
      assert.deepEqual(rest, { dish: "Ratatouille", portions: 2 });
      await server.waitForLine(new RegExp(`order ${number} is served: Ratatouille`));
      assert.deepEqual(JSON.parse((await browser.get(`/orders/${number}`)).text), {
        status: "served",
        dish: "Ratatouille",
      });
    });

    test("a wrong order is a 422 that names the fields", async () => {
      const page = await browser.sendJson("/orders", { dish: "", portions: 99 });
      assert.equal(page.status, 422);
      const { detail } = JSON.parse(page.text) as { detail: { loc: string[] }[] };
      assert.deepEqual(
        detail.map((item) => item.loc.join(".")),
        ["body.dish", "body.portions"],
      );
    });

    test("an order nobody gave is a 404 in JSON", async () => {
      const page = await browser.get("/orders/123456");
      assert.equal(page.status, 404);
      assert.deepEqual(JSON.parse(page.text), { detail: "no order 123456" });
    });

    test("events arrive whole", async () => {
      const page = await browser.get("/events?count=2");
      assert.match(String(page.headers["content-type"]), /^text\/event-stream/);
      assert.equal(
        page.text,
        'id: 1\nevent: tick\ndata: {"number": 1, "of": 2}\n\nid: 2\nevent: tick\ndata: {"number": 2, "of": 2}\n\n',
      );
    });

    test("events arrive one by one, and end when the reader leaves", async () => {
      const response = await browser.open("/events?count=600");
      await readUntil(response, /id: 3\n/);
      response.destroy();
      await server.waitForLine(/events over after \d+ of 600/);
    });

    frameworkPromises(() => ({ server, browser }));

    test("a plain def endpoint runs in a thread and answers", async () => {
      const { thread } = JSON.parse((await browser.get("/sync")).text) as { thread: string };
      assert.notEqual(thread, "MainThread");
    });

    test("twenty slow requests take about as long as one", async () => {
      const started = performance.now();
      const pages = await Promise.all(Array.from({ length: 20 }, () => browser.get("/slow?seconds=0.5")));
      const tookMs = performance.now() - started;
      assert.deepEqual([...new Set(pages.map((page) => page.status))], [200]);
      assert.ok(
        tookMs >= 500 && tookMs < 2_500,
        `one after another they take 10,000 ms; these took ${Math.round(tookMs)} ms`,
      );
    });

    test("the interactive documentation opens", async () => {
      assert.match((await browser.get("/docs")).text, /swagger-ui/i);
      assert.equal(
        (JSON.parse((await browser.get("/openapi.json")).text) as { info: { title: string } }).info.title,
        "Kitchen",
      );
    });
  });
}
