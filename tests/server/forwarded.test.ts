/** Who the client is behind a proxy, as the application and the access log see it; and what a client that only pretends gets. */
import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";

import { Browser } from "../support/browser.ts";
import { startMaitred, type Maitred } from "../support/maitred.ts";
import { temporaryFolder } from "../support/places.ts";
import { RawClient, exchangeRaw } from "../support/raw-client.ts";
import { request, type Who, who, whoModels } from "../support/who.ts";

const HERE = ["-b", "127.0.0.1:0"];

for (const model of whoModels) {
  suite(`behind a trusted proxy, on ${model.name}`, () => {
    let server: Maitred;
    let client: RawClient;
    const ask = async (path: string, ...fields: readonly string[]): Promise<Who> => {
      await client.send(request(path, ...fields));
      return who(await client.response());
    };

    before(async () => {
      server = await startMaitred([
        ...HERE,
        "--forwarded-allow-ips",
        "127.0.0.1,10.0.0.0/8",
        "--trusted-headers",
        "x-forwarded-for,x-forwarded-proto,forwarded,x-forwarded-host,x-forwarded-port,x-forwarded-prefix",
        "--access-logfile",
        "-",
        "--access-logformat",
        "%(h)s %(U)s",
        ...model.args,
      ]);
      client = await RawClient.open(server.port);
    });

    after(async () => {
      client.leave();
      assert.deepEqual(await server.stop(), { code: 0, signal: null });
    });

    test("a request without such fields is the peer's own", async () => {
      const { address, port, scheme, mount } = await ask("/");
      assert.deepEqual([address, scheme, mount], ["127.0.0.1", "http", ""]);
      assert.equal(port, client.socket.localPort);
    });

    test("the right-most address that is no proxy is the client, in the access log too", async () => {
      const fields = ["X-Forwarded-For: 6.6.6.6, 203.0.113.7, 10.0.0.9", "X-Forwarded-Proto: https"];
      for (let round = 0; round < 4; round++) {
        const answer = await ask("/logged", ...fields);
        assert.deepEqual([answer.address, answer.port, answer.scheme], ["203.0.113.7", 0, "https"]);
        assert.equal(answer.fields["x-forwarded-for"], "6.6.6.6, 203.0.113.7, 10.0.0.9");
      }
      await server.waitForLine(/^203\.0\.113\.7 \/logged$/m);
    });

    test("an address may have brackets, a port, quotes; what is no address is nobody's", async () => {
      for (const [field, address, port] of [
        ["X-Forwarded-For: 203.0.113.7:4711", "203.0.113.7", 4711],
        ["X-Forwarded-For: [2001:db8::7]:4711, 10.0.0.9:80", "2001:db8::7", 4711],
        ["X-Forwarded-For: 2001:DB8:0:0::7", "2001:db8::7", 0],
        ["X-Forwarded-For: ::ffff:203.0.113.7", "203.0.113.7", 0],
        ["X-Forwarded-For: 203.0.113.7, <script>, 10.0.0.9", "10.0.0.9", 0],
        ["X-Forwarded-For: 203.0.113.7, \xff\xfe", "127.0.0.1", null],
        ["X-Forwarded-For: 0x7f.1", "127.0.0.1", null],
        ["X-Forwarded-For: , ,", "127.0.0.1", null],
        [String.raw`Forwarded: For="\203.0.113.7:\4711";by="_a;b,c\""`, "203.0.113.7", 4711],
        ['Forwarded: for="_hidden", for="10.0.0.9"', "10.0.0.9", 0],
      ] as const) {
        const answer = await ask("/", field);
        assert.deepEqual([answer.address, answer.port], [address, port ?? client.socket.localPort], field);
      }
    });

    test("clients take turns on one connection", async () => {
      for (let round = 0; round < 3; round++) {
        assert.equal((await ask("/", "X-Forwarded-For: 203.0.113.1")).address, "203.0.113.1");
        assert.equal((await ask("/", "X-Forwarded-For: 2001:db8::2")).address, "2001:db8::2");
        assert.equal((await ask("/")).address, "127.0.0.1");
      }
    });

    test("Forwarded does the same", async () => {
      const answer = await ask(
        "/",
        'Forwarded: for=evil;host=evil, for="[2001:db8::7]:4711";proto=https;host=a.example, for=10.0.0.9',
      );
      assert.deepEqual([answer.address, answer.port, answer.scheme], ["2001:db8::7", 4711, "https"]);
      assert.deepEqual([answer.fields["host"], answer.server], ["a.example", ["a.example", 443]]);
    });

    test("host, port and prefix follow", async () => {
      const answer = await ask(
        "/items/%20x",
        "X-Forwarded-Host: a.example",
        "X-Forwarded-Proto: https",
        "X-Forwarded-Port: 8443",
        "X-Forwarded-Prefix: /api/v1/",
      );
      assert.equal(answer.fields["host"], "a.example:8443");
      assert.deepEqual(answer.server, ["a.example", 8443]);
      assert.deepEqual([answer.mount, answer.path], ["/api/v1", "/api/v1/items/ x"]);
      assert.equal((await ask("/items")).mount, "", "the next request is not mounted there");
    });

    for (const [title, ...fields] of [
      ["two clients", "X-Forwarded-For: 203.0.113.7", "Forwarded: for=127.0.0.1"],
      ["two schemes", "X-Forwarded-Proto: https", "X-Forwarded-Ssl: off"],
      ["an open quote", 'Forwarded: for="6.6.6.6, for=203.0.113.7'],
    ] as const) {
      test(`${title} are refused, and nothing behind them is served`, async () => {
        const answer = await exchangeRaw(server.port, request("/", ...fields) + request("/smuggled"));
        assert.match(answer, /^HTTP\/1\.1 400 /);
        assert.equal(answer.match(/^HTTP\//gm)?.length, 1);
        await server.waitForLine(/Request from 127\.0\.0\.1 refused with 400: .*Forwarded/);
      });
    }

    test("a refused request with a body takes its connection with it", async () => {
      const body = "Content-Length: 30\r\nForwarded: for=\r\n\r\nGET /smuggled HTTP/1.1\r\n\r\n\r\n\r\n\r\n";
      const answer = await exchangeRaw(server.port, `POST / HTTP/1.1\r\nHost: x\r\n${body}`);
      assert.match(answer, /^HTTP\/1\.1 400 /);
      assert.equal(answer.match(/^HTTP\//gm)?.length, 1);
    });

    test("bodies arrive as ever", async () => {
      await client.send("POST / HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 203.0.113.7\r\nContent-Length: 5\r\n\r\nhello");
      const answer = who(await client.response());
      assert.deepEqual([answer.address, answer.body], ["203.0.113.7", "hello"]);
    });
  });

  suite(`a peer that is not trusted, on ${model.name}`, () => {
    const FORGED = [
      "X-Forwarded-For: 127.0.0.1",
      "x-forwarded-proto: https",
      "X-FORWARDED-HOST: evil",
      "X-Forwarded-Port: 1",
      "X-Forwarded-Prefix: /evil",
      "X-Forwarded-Ssl: on",
      "Forwarded: for=127.0.0.1;proto=https",
      "X-Real-IP: 127.0.0.1",
      "X_Forwarded_For: 127.0.0.1",
    ];

    test("tells the application nothing, and the log says once what to set", async () => {
      const server = await startMaitred([...HERE, "--forwarded-allow-ips", "192.0.2.0/24", ...model.args]);
      for (let round = 0; round < 2; round++) {
        const client = await RawClient.open(server.port);
        for (let request_ = 0; request_ < 3; request_++) {
          await client.send(request("/", ...FORGED, "X-Other: stays"));
          const { address, scheme, mount, fields } = who(await client.response());
          assert.deepEqual([address, scheme, mount], ["127.0.0.1", "http", ""]);
          assert.deepEqual(fields, { host: "own.example", "x-other": "stays" });
        }
        client.leave();
      }
      await server.waitForLine(/X-Forwarded-For from 127\.0\.0\.1 was removed.*--forwarded-allow-ips 127\.0\.0\.1/);
      await server.stop();
      assert.equal(server.stderr().match(/was removed/g)?.length, 1);
    });

    test("is not refused for what it sends", async () => {
      const server = await startMaitred([...HERE, "--forwarded-allow-ips", "none", ...model.args]);
      const client = await RawClient.open(server.port);
      await client.send(request("/", 'Forwarded: for="', "X-Forwarded-For: \x80\xff,,,"));
      assert.equal(who(await client.response()).address, "127.0.0.1");
      client.leave();
      await server.stop();
    });
  });

  test(`--no-proxy-headers leaves the fields alone, on ${model.name}`, async () => {
    const server = await startMaitred([...HERE, "--no-proxy-headers", ...model.args]);
    const client = await RawClient.open(server.port);
    await client.send(request("/", "X-Forwarded-For: 203.0.113.7", "X-Forwarded-Proto: https"));
    const { address, scheme, fields } = who(await client.response());
    assert.deepEqual([address, scheme, fields["x-forwarded-for"]], ["127.0.0.1", "http", "203.0.113.7"]);
    client.leave();
    await server.stop();
  });
}

test("what is not named in --trusted-headers reaches the application and means nothing", async () => {
  const server = await startMaitred([...HERE, ...whoModels[0]!.args]);
  const client = await RawClient.open(server.port);
  await client.send(request("/a", "X-Forwarded-Host: evil", "X-Forwarded-Prefix: /evil", "X-Forwarded-Port: 1"));
  const { fields, mount } = who(await client.response());
  assert.deepEqual([fields["host"], fields["x-forwarded-host"], mount], ["own.example", "evil", ""]);
  client.leave();
  await server.stop();
});

test("--root-path comes behind what a proxy took away", async () => {
  const trusts = ["--trusted-headers", "x-forwarded-prefix", "--root-path", "/inner"];
  for (const model of whoModels) {
    const server = await startMaitred([...HERE, ...trusts, ...model.args]);
    const client = await RawClient.open(server.port);
    await client.send(request("/x", "X-Forwarded-Prefix: /outer"));
    const { mount, path } = who(await client.response());
    assert.deepEqual([mount, path], ["/outer/inner", "/outer/inner/x"], model.name);
    client.leave();
    await server.stop();
  }
});

test("a Unix socket's peer is trusted, until nobody is", async () => {
  for (const [list, expected] of [
    ["10.0.0.1", "203.0.113.7"],
    ["none", ""],
  ] as const) {
    const path = `${temporaryFolder()}/s`;
    const server = await startMaitred(["-b", `unix:${path}`, "--forwarded-allow-ips", list, ...whoModels[0]!.args]);
    const browser = new Browser(path);
    const page = await browser.get("/", { "x-forwarded-for": "203.0.113.7" });
    assert.equal((JSON.parse(page.text) as Who).address, expected, list);
    browser.close();
    await server.stop();
  }
});
