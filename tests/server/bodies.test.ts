/** Request bodies that are slow, expected, unread or broken off. */
import assert from "node:assert/strict";
import { suite, test } from "node:test";

import { Browser } from "../support/browser.ts";
import { startMaitred } from "../support/maitred.ts";
import { testApps } from "../support/places.ts";
import { RawClient } from "../support/raw-client.ts";

const models = [
  { name: "WSGI, sync", args: ["-k", "sync", "wsgi_app:application"] },
  { name: "WSGI, threads", args: ["-k", "gthread", "--threads", "2", "wsgi_app:application"] },
  { name: "ASGI", args: ["-k", "asgi", "asgi_app:application"] },
] as const;

for (const model of models) {
  suite(`request bodies, on ${model.name}`, () => {
    const start = ["-b", "127.0.0.1:0", "-w", "1", "--chdir", testApps, ...model.args];

    test("Expect: 100-continue is answered with 100 when the application reads", async () => {
      const server = await startMaitred(start);
      const client = await RawClient.open(server.port);
      await client.send("POST /echo HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n");
      assert.equal((await client.response()).status, 100);
      await client.send("hello");
      const response = await client.response();
      assert.equal(response.status, 200);
      assert.equal(response.body.toString(), "hello");
      client.leave();
      await server.stop();
    });

    test("an application that does not read the body sends no 100", async () => {
      const server = await startMaitred(start);
      const client = await RawClient.open(server.port);
      await client.send("POST /ignore-body HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n");
      const response = await client.response();
      assert.equal(response.status, 200);
      client.leave();
      await server.stop();
    });

    test("an expectation nobody knows is a 417 or ignored, never a 100", async () => {
      const server = await startMaitred(start);
      const client = await RawClient.open(server.port);
      await client.send("POST /echo HTTP/1.1\r\nHost: x\r\nExpect: miracles\r\nContent-Length: 5\r\n\r\nhello");
      assert.ok([200, 417].includes((await client.response()).status));
      client.leave();
      await server.stop();
    });

    test("slow bodies do not keep the worker from other requests", async () => {
      const server = await startMaitred(start);
      const browser = new Browser(server.port);
      const slow = await Promise.all(Array.from({ length: 5 }, () => RawClient.open(server.port)));
      for (const client of slow) await client.send("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhello");
      for (let count = 0; count < 3; count++) assert.equal((await browser.get("/")).text, "hello");
      for (const client of slow) await client.send("world");
      for (const client of slow) {
        assert.equal((await client.response()).body.toString(), "helloworld");
        client.leave();
      }
      browser.close();
      await server.stop();
    });

    test("an unread body does not become the next request", async () => {
      const server = await startMaitred(start);
      const client = await RawClient.open(server.port);
      const body = "GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n";
      await client.send(
        `POST /ignore-body HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n${body}GET /pid HTTP/1.1\r\nHost: x\r\n\r\n`,
      );
      assert.equal((await client.response()).body.toString(), "hello");
      assert.match((await client.response()).body.toString(), /^\d+$/);
      const browser = new Browser(server.port);
      assert.equal((await browser.get("/count")).text, "/ignore-body=1 /pid=1");
      browser.close();
      client.leave();
      await server.stop();
    });

    test("a body of 20 MB that the application does not read is taken or refused, and the worker goes on", async () => {
      const server = await startMaitred(start);
      const browser = new Browser(server.port);
      const outcome = await browser.ask("/ignore-body", { method: "POST", body: Buffer.alloc(20_000_000) }).then(
        (page) => page.status,
        (error: NodeJS.ErrnoException) => error.code,
      );
      assert.ok(outcome === 200 || outcome === "EPIPE" || outcome === "ECONNRESET", String(outcome));
      assert.equal((await browser.get("/")).text, "hello");
      browser.close();
      await server.stop();
    });
  });
}
