/** The two applications without a framework: what HTTP promises, under every worker model. */
import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { after, before, suite, test } from "node:test";

import { Browser, readUntil } from "../support/browser.ts";
import { startMaitred, type Maitred } from "../support/maitred.ts";
import { example } from "../support/places.ts";
import { RawClient } from "../support/raw-client.ts";

const models = [
  { name: "WSGI, sync workers", kind: "wsgi", args: ["-k", "sync", "-w", "2"] },
  { name: "WSGI, threads", kind: "wsgi", args: ["-k", "gthread", "-w", "2", "--threads", "4"] },
  { name: "ASGI, uvloop", kind: "asgi", args: ["-k", "asgi", "-w", "2", "--asgi-loop", "uvloop"] },
  { name: "ASGI, asyncio", kind: "asgi", args: ["-k", "asgi", "-w", "2", "--asgi-loop", "asyncio"] },
] as const;

const pattern = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));

for (const model of models) {
  suite(`plain ${model.name}`, () => {
    const greeting = model.kind === "wsgi" ? "Hello, WSGI!\n" : "Hello, ASGI!\n";
    let server: Maitred;
    let browser: Browser;

    before(async () => {
      server = await startMaitred([
        "-b",
        "127.0.0.1:0",
        "--chdir",
        example(model.kind),
        ...model.args,
        "app:application",
      ]);
      browser = new Browser(server.port);
    });

    after(async () => {
      browser.close();
      assert.deepEqual(await server.stop(), { code: 0, signal: null });
      if (model.kind === "asgi") await server.waitForLine(/lifespan: the application says goodbye/);
    });

    test("hello", async () => {
      const page = await browser.get("/");
      assert.equal(page.status, 200);
      assert.equal(page.text, greeting);
      assert.equal(page.headers["content-type"], "text/plain; charset=utf-8");
      assert.equal(page.headers["content-length"], String(greeting.length));
      assert.ok(!Number.isNaN(Date.parse(String(page.headers["date"]))), "a Date header");
    });

    for (const size of [0, 1, 65_536, 65_537, 3_000_000]) {
      test(`echo of ${size} bytes with Content-Length`, async () => {
        const body = randomBytes(size);
        const page = await browser.ask("/echo", { method: "POST", body, headers: { "content-type": "image/x-test" } });
        assert.equal(page.headers["content-type"], "image/x-test");
        assert.ok(page.body.equals(body));
      });

      test(`echo of ${size} bytes in chunks`, async () => {
        const body = randomBytes(size);
        const chunks = Array.from({ length: Math.ceil(size / 50_000) }, (_, index) =>
          body.subarray(index * 50_000, (index + 1) * 50_000),
        );
        const page = await browser.ask("/echo", {
          method: "POST",
          chunks,
          headers: { "transfer-encoding": "chunked" },
        });
        assert.equal(page.status, 200);
        assert.ok(page.body.equals(body));
      });
    }

    test("a chunked body cut anywhere, with extensions and a trailer, arrives whole", async () => {
      const client = await RawClient.open(server.port);
      const bytes =
        "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5;name=value\r\nhello\r\n7\r\n, world\r\n0\r\nX-Trailer: 1\r\n\r\n";
      for (const byte of bytes) await client.send(byte);
      assert.equal((await client.response()).body.toString(), "hello, world");
      client.leave();
    });

    test("the request arrives as the specification says", async () => {
      const headers = { "x-twice": "caf\u00e9", accept: "text/html" };
      if (model.kind === "wsgi") {
        const environ = JSON.parse((await browser.get("/environ?a=1%202&b=", headers)).text) as Record<string, unknown>;
        const expected = {
          REQUEST_METHOD: "GET",
          SCRIPT_NAME: "",
          PATH_INFO: "/environ",
          QUERY_STRING: "a=1%202&b=",
          SERVER_PROTOCOL: "HTTP/1.1",
          SERVER_PORT: String(server.port),
          REMOTE_ADDR: "127.0.0.1",
          HTTP_HOST: `127.0.0.1:${server.port}`,
          HTTP_ACCEPT: "text/html",
          HTTP_X_TWICE: "caf\u00e9",
          "wsgi.version": [1, 0],
          "wsgi.url_scheme": "http",
          "wsgi.multiprocess": true,
          "wsgi.multithread": model.args.includes("gthread" as never),
          "wsgi.run_once": false,
        };
        assert.deepEqual(Object.fromEntries(Object.keys(expected).map((key) => [key, environ[key]])), expected);
        assert.ok(!("HTTP_CONTENT_LENGTH" in environ) && !("HTTP_CONTENT_TYPE" in environ));
      } else {
        const scope = JSON.parse((await browser.get("/scope?a=1%202&b=", headers)).text) as Record<string, unknown>;
        const expected = {
          type: "http",
          http_version: "1.1",
          method: "GET",
          scheme: "http",
          path: "/scope",
          raw_path: "/scope",
          query_string: "a=1%202&b=",
          root_path: "",
          server: ["127.0.0.1", server.port],
        };
        assert.deepEqual(Object.fromEntries(Object.keys(expected).map((key) => [key, scope[key]])), expected);
        assert.equal((scope["client"] as [string, number])[0], "127.0.0.1");
        const fields = scope["headers"] as [string, string][];
        assert.deepEqual(fields.filter(([name]) => name === "x-twice" || name === "accept").sort(), [
          ["accept", "text/html"],
          ["x-twice", "caf\u00e9"],
        ]);
        assert.equal((scope["asgi"] as { version: string }).version, "3.0");
      }
    });

    test("a path is percent-decoded once, as UTF-8 or not", async () => {
      const where = model.kind === "wsgi" ? "/environ" : "/scope";
      const page = await browser.get(`${where}%2F..%2f%25E9/%C3%A9`);
      assert.equal(page.status, 404, "the application answers for a decoded path that is not one of its own");
      assert.match(page.text, /^Not found\. Try: /);
    });

    test("HEAD has the length of GET and no body, and the connection goes on", async () => {
      const client = await RawClient.open(server.port);
      await client.send("HEAD / HTTP/1.1\r\nHost: x\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n");
      const head = await client.response(true);
      assert.equal(head.status, 200);
      assert.equal(head.headers["content-length"], String(greeting.length));
      assert.equal((await client.response()).body.toString(), greeting);
      client.leave();
    });

    test("a response of 5 MB arrives whole", async () => {
      const page = await browser.get("/big?bytes=5000000");
      assert.equal(page.headers["content-length"], "5000000");
      const expected = Buffer.alloc(5_000_000, pattern);
      assert.equal(sha256(page.body), sha256(expected));
    });

    test("a slow reader of a big response gets all of it, while others are served", async () => {
      const response = await browser.open("/big?bytes=20000000");
      response.pause();
      for (let count = 0; count < 5; count++) assert.equal((await browser.get("/")).text, greeting);
      const hash = createHash("sha256");
      for await (const piece of response) hash.update(piece as Buffer);
      assert.equal(hash.digest("hex"), sha256(Buffer.alloc(20_000_000, pattern)));
    });

    test("a connection is used again", async () => {
      const client = await RawClient.open(server.port);
      for (let count = 0; count < 5; count++) {
        await client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
        assert.equal((await client.response()).body.toString(), greeting);
      }
      await client.send("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc");
      assert.equal((await client.response()).body.toString(), "abc");
      client.leave();
    });

    test("requests sent together are answered in order", async () => {
      const client = await RawClient.open(server.port);
      const echo = (text: string): string =>
        `POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: ${text.length}\r\n\r\n${text}`;
      await client.send(
        `GET /slow?seconds=0.2 HTTP/1.1\r\nHost: x\r\n\r\n${echo("one")}${echo("three")}GET / HTTP/1.1\r\nHost: x\r\n\r\n`,
      );
      const bodies: string[] = [];
      for (let count = 0; count < 4; count++) bodies.push((await client.response()).body.toString());
      assert.deepEqual(bodies, ["That took a while.\n", "one", "three", greeting]);
      client.leave();
    });

    test("Connection: close is honoured", async () => {
      const client = await RawClient.open(server.port);
      await client.send("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
      const response = await client.response();
      assert.equal(response.headers["connection"]?.toLowerCase(), "close");
      assert.equal(await client.rest(), "");
      client.leave();
    });

    test("an HTTP/1.0 client gets a response without chunks, and the end", async () => {
      const client = await RawClient.open(server.port);
      await client.send("GET /stream?lines=2 HTTP/1.0\r\n\r\n");
      const response = await client.response();
      assert.equal(response.headers["transfer-encoding"], undefined);
      assert.equal(response.body.toString(), "line 1 of 2\nline 2 of 2\n");
      client.leave();
    });

    test("a stream without a length is chunked and the connection goes on", async () => {
      const client = await RawClient.open(server.port);
      await client.send("GET /stream?lines=2 HTTP/1.1\r\nHost: x\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n");
      const response = await client.response();
      assert.equal(response.headers["transfer-encoding"], "chunked");
      assert.equal(response.body.toString(), "line 1 of 2\nline 2 of 2\n");
      assert.equal((await client.response()).body.toString(), greeting);
      client.leave();
    });

    test("a stream arrives line by line, and ends when the reader leaves", async () => {
      const response = await browser.open("/stream?lines=600");
      await readUntil(response, /line 3 of 600/);
      response.destroy();
      await server.waitForLine(/stream over after \d+ of 600 lines/);
    });

    test("an empty response has no body", async () => {
      const page = await browser.get("/empty");
      assert.equal(page.status, 204);
      assert.equal(page.headers["transfer-encoding"], undefined);
      assert.equal(page.headers["content-length"], undefined);
    });

    test("a path that is not there is the application's 404", async () => {
      const page = await browser.get("/nowhere");
      assert.equal(page.status, 404);
      assert.match(page.text, /^Not found\. Try: /);
    });

    test("an exception is a 500 that tells nothing; its traceback is in the log and the worker goes on", async () => {
      const page = await browser.get("/error");
      assert.equal(page.status, 500);
      assert.doesNotMatch(page.text, /purpose|Traceback/);
      await server.waitForLine(/RuntimeError: an error on purpose$/m);
      assert.equal((await browser.get("/")).status, 200);
    });

    test("a response that breaks off is cut, not passed off as whole", async () => {
      const client = await RawClient.open(server.port);
      await client.send("GET /late-error HTTP/1.1\r\nHost: x\r\n\r\n");
      const all = await client.rest();
      assert.match(all, /^HTTP\/1\.1 200 /);
      assert.match(all, /so far, so good\n/);
      assert.doesNotMatch(all, /\r\n0\r\n\r\n$/);
      client.leave();
    });

    if (model.kind === "wsgi") {
      test("write() and the returned body are one response", async () => {
        assert.equal((await browser.get("/write")).text, "written, then returned\n");
      });

      test("start_response with exc_info replaces headers that have not left", async () => {
        const page = await browser.get("/replaced-error");
        assert.equal(page.status, 503);
        assert.equal(page.text, "replaced\n");
      });
    } else {
      test("an application that returns without an answer is a 500", async () => {
        assert.equal((await browser.get("/silent")).status, 500);
      });
    }
  });
}

function sha256(bytes: Buffer): string {
  return createHash("sha256").update(bytes).digest("hex");
}
