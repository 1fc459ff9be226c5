/** A route to another server, as a client and that server see it: the edge and the upstream's room over real sockets. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ProxyFront } from "../support/proxy-front.ts";
import { RawClient } from "../support/raw-client.ts";
import { RawUpstream } from "../support/raw-upstream.ts";
import { asked, get, OK, scene } from "../support/upstream-scene.ts";

describe("a request", () => {
  test("goes on as it was parsed, and nothing of its framing with it", async () => {
    const { client, upstream } = await scene();
    await client.send(
      "GET http://h/a?b HTTP/1.1\r\nHost: h\r\nX-A:  1 \r\nConnection: keep-alive, X-B\r\nX-B: 2\r\nTE: trailers\r\n\r\n",
    );
    const behind = await upstream.connection();
    assert.equal(
      await behind.head(),
      "GET /a?b HTTP/1.1\r\nhost: h\r\nconnection: keep-alive\r\nX-A: 1\r\nVia: 1.1 maitred\r\n\r\n",
    );
    behind.send(OK);
    assert.equal((await client.response()).body.toString(), "ok");
    client.leave();
  });

  test("has its body streamed, with its length", async () => {
    const { client, upstream } = await scene();
    await client.send("PUT /a HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nhello");
    const behind = await upstream.connection();
    assert.match(await behind.match(/^[^]*?\r\n\r\nhello/), /\r\ncontent-length: 10\r\n/i);
    await client.send("world");
    assert.equal(await behind.match(/world/), "world");
    behind.send(OK);
    assert.equal((await client.response()).status, 200);
    client.leave();
  });

  test("has its body streamed in chunks, and the response comes meanwhile", async () => {
    const { client, upstream } = await scene();
    await client.send("POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n");
    const behind = await upstream.connection();
    assert.match(await behind.match(/^[^]*?\r\n\r\n5\r\nhello/), /\r\ntransfer-encoding: chunked\r\n/i);
    behind.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n");
    await client.match(/\r\n\r\n3\r\none\r\n$/);
    await client.send("3\r\ntwo\r\n");
    await behind.match(/3\r\ntwo/);
    behind.send("3\r\ntwo\r\n");
    await client.match(/3\r\ntwo\r\n$/);
    await client.send("0\r\n\r\n");
    await behind.match(/\r\n0\r\n\r\n$/);
    behind.send("0\r\n\r\n");
    assert.equal((await client.response()).body.toString(), "onetwo");
    client.leave();
  });

  test("whose client waits for 100 Continue gets it when the upstream takes the body", async () => {
    const { client, upstream } = await scene();
    await client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n");
    assert.equal((await client.response()).status, 100);
    await client.send("hello");
    const behind = await upstream.connection();
    assert.doesNotMatch(await behind.match(/^[^]*?\r\n\r\nhello/), /expect/i);
    behind.send(OK);
    assert.equal((await client.response()).status, 200);
    client.leave();
  });

  test("whose upstream is not there gets 502 without its client being asked for the body", async () => {
    const upstream = await RawUpstream.open();
    const front = await ProxyFront.open(upstream.url);
    upstream.close();
    const client = await RawClient.open(front.port);
    await client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n");
    assert.equal((await client.response()).status, 502);
    assert.match(front.lines[0]!, /^POST \/: upstream http:\S+: connection refused; answered 502$/);
    client.leave();
  });

  test("whose body the upstream does not read stops its client", async () => {
    const { client, upstream } = await scene();
    await client.send("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n");
    const behind = await upstream.connection();
    await behind.match(/hello/);
    behind.socket.pause();
    // Far more than the kernel and the house hold together.
    const chunk = Buffer.concat([Buffer.from("100000\r\n"), Buffer.alloc(1_048_576, "x"), Buffer.from("\r\n")]);
    for (let i = 0; i < 48; i++) client.socket.write(chunk);
    const waiting = await stable(() => client.socket.writableLength);
    assert.ok(waiting > 16 * 1_048_576, `${waiting} bytes wait at the client`);
    behind.discard();
    behind.socket.resume();
    await new Promise<void>((resolve) => client.socket.write("0\r\n\r\n", () => resolve()));
    behind.send(OK);
    assert.equal((await client.response()).status, 200);
    assert.ok(behind.discarded > 32 * 1_048_576);
    client.leave();
  });

  test("that was answered before it was whole is over", async () => {
    const { client, upstream } = await scene();
    await client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\nhello");
    const behind = await upstream.connection();
    await behind.match(/hello/);
    behind.send("HTTP/1.1 413 No\r\nContent-Length: 0\r\n\r\n");
    assert.equal((await client.response()).status, 413);
    // Its connection to the upstream is not used for another: the rest of the body is missing there.
    await behind.closed();
    await client.send("x".repeat(95) + get("/next"));
    const next = await upstream.connection();
    assert.match(await next.head(), /^GET \/next /);
    next.send(OK);
    assert.equal((await client.response()).status, 200);
    client.leave();
  });

  test("whose path would climb out of the route goes nowhere", async () => {
    const { client, front } = await scene({ "strip-prefix": "/api" });
    for (const path of ["/api/../admin", "/api/%2e%2e/admin", "/api/..%2fadmin", "/api/..;/admin"]) {
      await client.send(get(path));
      assert.equal((await client.response()).status, 400, path);
    }
    assert.match(front.lines[0]!, /its path has a \.\. segment; answered 400$/);
    client.leave();
  });

  test("that has gone in circles ends with 508", async () => {
    const { client } = await scene();
    await client.send(get("/", `Via: ${Array(10).fill("1.1 maitred").join(", ")}`));
    assert.equal((await client.response()).status, 508);
    client.leave();
  });
});

describe("a response", () => {
  test("goes on with its length, reason and fields, without those of its connection", async () => {
    const { client, behind } = await asked();
    behind.send("HTTP/1.1 201 Made\r\nContent-Length: 2\r\nX-A: 1\r\nConnection: close, X-B\r\nX-B: 2\r\n\r\nok");
    await client.match(/ok$/);
    assert.equal(client.received, "HTTP/1.1 201 Made\r\nX-A: 1\r\nContent-Length: 2\r\n\r\nok");
    client.leave();
  });

  test("to HEAD, 204 and 304 has no body, whatever its length says", async () => {
    const { client, upstream } = await scene();
    const heads: readonly [string, string, number][] = [
      ["HEAD", "200 OK\r\nContent-Length: 500", 200],
      ["GET", "204 No Content", 204],
      ["GET", "304 Not Modified\r\nETag: x\r\nContent-Length: 500", 304],
    ];
    const served = (async (): Promise<void> => {
      for (const [, head] of heads) {
        const behind = await upstream.connection();
        await behind.head();
        behind.send(`HTTP/1.1 ${head}\r\nConnection: close\r\n\r\n`);
      }
    })();
    for (const [method, head, status] of heads) {
      await client.send(`${method} / HTTP/1.1\r\nHost: h\r\n\r\n`);
      const response = await client.response(true);
      assert.equal(response.status, status);
      assert.equal(response.headers["content-length"], /Content-Length: (\d+)/.exec(head)?.[1]);
    }
    await served;
    client.leave();
  });

  test("comes after its informational ones", async () => {
    const { client, behind } = await asked();
    behind.send("HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n");
    const early = await client.response();
    assert.deepEqual([early.status, early.headers["link"]], [103, "</a.css>; rel=preload"]);
    behind.send("HTTP/1.1 102 Processing\r\n\r\n" + OK);
    assert.equal((await client.response()).status, 102);
    assert.equal((await client.response()).body.toString(), "ok");
    client.leave();
  });

  test("has its trailers, where the client takes them", async () => {
    const { client, behind } = await asked({}, get("/", "TE: trailers"));
    behind.send(
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n2\r\nok\r\n0\r\nX-Sum: 7\r\nConnection: x\r\n\r\n",
    );
    await client.match(/\r\n0\r\nX-Sum: 7\r\n\r\n$/);
    client.leave();
  });

  test("that ends with its connection is whole", async () => {
    const { client, behind } = await asked();
    behind.send("HTTP/1.1 200 OK\r\n\r\nuntil the end");
    await client.match(/end\r\n$/);
    behind.socket.end();
    assert.equal((await client.response()).body.toString(), "until the end");
    client.leave();
  });

  test("is read no faster than its client takes it", async () => {
    const { client, behind, front } = await asked();
    client.socket.pause();
    const total = 48 * 1_048_576;
    behind.send(`HTTP/1.1 200 OK\r\nContent-Length: ${total}\r\n\r\n`);
    for (let i = 0; i < 48; i++) behind.socket.write(Buffer.alloc(1_048_576, "x"));
    const waiting = await stable(() => behind.socket.writableLength);
    assert.ok(waiting > 16 * 1_048_576, `${waiting} bytes wait at the upstream`);
    let taken = 0;
    client.socket.removeAllListeners("data").on("data", (data) => (taken += data.length));
    client.socket.resume();
    await front.finished(new RegExp(`^/ 200 ${total}$`));
    assert.ok((await stable(() => taken)) > total);
    client.leave();
  });

  test("has the client's address in its Location", async () => {
    const { client, behind, upstream } = await asked({ "strip-prefix": "/api" }, get("/api/a"));
    behind.send(`HTTP/1.1 302 Found\r\nLocation: ${upstream.url}/b\r\nContent-Length: 0\r\n\r\n`);
    assert.equal((await client.response()).headers["location"], "http://h/api/b");
    client.leave();
  });
});

/** The value once it has not changed for some turns of waiting. */
async function stable(read: () => number): Promise<number> {
  let last = read();
  for (let same = 0; same < 10;) {
    await new Promise((resolve) => setTimeout(resolve, 20));
    const now = read();
    same = now === last ? same + 1 : 0;
    last = now;
  }
  return last;
}
