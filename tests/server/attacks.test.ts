/**
 * Attacks on HTTP/1.1 over real sockets: docs/security.md has a row for each suite. What one malformed message gets is hostile.test.ts's; here the
 * question is whether an attacker's bytes ever become a request, a response or a line that is not theirs.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, suite, test } from "node:test";

import { Browser } from "../support/browser.ts";
import { startMaitred, type Maitred } from "../support/maitred.ts";
import { nginxPath, startNginx, type Nginx } from "../support/nginx.ts";
import { testApps } from "../support/places.ts";
import { RawClient, exchangeRaw } from "../support/raw-client.ts";

const ARGS = ["-b", "127.0.0.1:0", "--chdir", testApps, "-k", "sync", "-w", "1", "attacked:application"];
/** Hidden where one parser sees a body and another a request. */
const HIDDEN = "GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n";
const post = (fields: string, body: string, path = "/first"): string =>
  `POST ${path} HTTP/1.1\r\nHost: x\r\n${fields}\r\n${body}`;
const chunk = (data: string): string => `${data.length.toString(16)}\r\n${data}\r\n`;

async function counted(port: number): Promise<Readonly<Record<string, number>>> {
  const browser = new Browser(port);
  const { text } = await browser.get("/count");
  browser.close();
  return JSON.parse(text) as Record<string, number>;
}

const statuses = (answer: string): number[] =>
  [...answer.matchAll(/^HTTP\/1\.[01] (\d{3}) /gm)].map((match) => Number(match[1]));

/** Ways to write the framing so that two parsers may disagree where the request ends. */
const disagreements: readonly (readonly [attack: string, bytes: string])[] = [
  ["CL.TE", post(`Content-Length: ${5 + HIDDEN.length}\r\nTransfer-Encoding: chunked\r\n`, `0\r\n\r\n${HIDDEN}`)],
  ["TE.CL", post("Transfer-Encoding: chunked\r\nContent-Length: 4\r\n", `${chunk(HIDDEN)}0\r\n\r\n`)],
  ["CL.CL", post(`Content-Length: 0\r\nContent-Length: ${HIDDEN.length}\r\n`, HIDDEN)],
  ["CL.CL in another case", post(`Content-Length: ${HIDDEN.length}\r\ncontent-length: 0\r\n`, HIDDEN)],
  ...(
    [
      ["a prefix", "Transfer-Encoding: xchunked"],
      ["a suffix", "Transfer-Encoding: chunkedx"],
      ["a blank before the colon", "Transfer-Encoding : chunked"],
      ["a tab before the value", "Transfer-Encoding:\tchunked"],
      ["a tab behind the value", "Transfer-Encoding: chunked\t"],
      ["a vertical tab", "Transfer-Encoding:\x0bchunked"],
      ["a form feed", "Transfer-Encoding: chunked\x0c"],
      ["a NUL behind the value", "Transfer-Encoding: chunked\0"],
      ["a NUL in the name", "Transfer\0-Encoding: chunked"],
      ["a byte beyond ASCII", "Transfer-Encoding: chunked\xa0"],
      ["a leading blank", " Transfer-Encoding: chunked"],
      ["a folded line", "Transfer-Encoding:\r\n chunked"],
      ["a fold before it", "X: y\r\n Transfer-Encoding: chunked"],
      ["a bare LF before it", "X: y\nTransfer-Encoding: chunked"],
      ["a bare CR before it", "X: y\rTransfer-Encoding: chunked"],
      ["quotes", 'Transfer-Encoding: "chunked"'],
      ["a parameter", "Transfer-Encoding: chunked;q=1"],
      ["an empty element", "Transfer-Encoding: , chunked"],
      ["identity before", "Transfer-Encoding: identity, chunked"],
      ["identity behind", "Transfer-Encoding: chunked, identity"],
      ["two lines, the second unknown", "Transfer-Encoding: chunked\r\nTransfer-Encoding: cow"],
      ["two lines, the first unknown", "Transfer-Encoding: cow\r\nTransfer-Encoding: chunked"],
      ["an underscore", "Connection: close\r\nTransfer_Encoding: chunked"],
      ["no blank at all", "Transfer-Encoding:chunked"],
      ["an empty value beside it", "Transfer-Encoding:\r\nTransfer-Encoding: chunked"],
    ] as const
  ).map(
    ([how, line]) =>
      [`TE.TE with ${how}`, post(`Content-Length: ${5 + HIDDEN.length}\r\n${line}\r\n`, `0\r\n\r\n${HIDDEN}`)] as const,
  ),
  ...["+0", "-0", "0x0", "0,0", "0 0", "0_0", "00000000000000000000000000000000000000001e", "1e1", "0\0", "٠", ""].map(
    (length) => [`Content-Length ${JSON.stringify(length)}`, post(`Content-Length: ${length}\r\n`, HIDDEN)] as const,
  ),
];

/** Bodies in chunks that some parsers read as shorter or longer than they are. */
const chunks: readonly (readonly [attack: string, body: string])[] = [
  ["a size with 0x", `0x5\r\nhello\r\n0\r\n\r\n${HIDDEN}`],
  ["a size with a sign", `+5\r\nhello\r\n0\r\n\r\n${HIDDEN}`],
  ["a negative size", `-5\r\nhello\r\n0\r\n\r\n${HIDDEN}`],
  ["a size with a blank before it", ` 5\r\nhello\r\n0\r\n\r\n${HIDDEN}`],
  ["a size with an underscore", `0_5\r\nhello\r\n0\r\n\r\n${HIDDEN}`],
  ["a size that overflows 64 bits", `10000000000000005\r\nhello\r\n0\r\n\r\n${HIDDEN}`],
  ["an empty size", `\r\nhello\r\n0\r\n\r\n${HIDDEN}`],
  ["a size line that ends in LF", `5\nhello\r\n0\r\n\r\n${HIDDEN}`],
  ["a size line that ends in CR", `5\rhello\r\n0\r\n\r\n${HIDDEN}`],
  ["an extension with a bare LF (TERM.EXT)", `5;\nxx\r\nhello\r\n0\r\n\r\n${HIDDEN}`],
  ["an extension with a bare CR", `5;a\rb\r\nhello\r\n0\r\n\r\n${HIDDEN}`],
  ["data that ends in LF", `5\r\nhello\n0\r\n\r\n${HIDDEN}`],
  ["data that ends in two other bytes (EXT.TERM)", `5\r\nhelloXX0\r\n\r\n${HIDDEN}`],
  ["data longer than its size", `3\r\nhello\r\n0\r\n\r\n${HIDDEN}`],
  ["a last chunk that ends in LF", `5\r\nhello\r\n0\n\n${HIDDEN}`],
  ["Content-Length in the trailers", `5\r\nhello\r\n0\r\nContent-Length: ${HIDDEN.length}\r\n\r\n${HIDDEN}`],
  ["Transfer-Encoding in the trailers", `5\r\nhello\r\n0\r\nTransfer-Encoding: chunked\r\n\r\n${HIDDEN}`],
  ["Host in the trailers", `5\r\nhello\r\n0\r\nHost: evil\r\n\r\n${HIDDEN}`],
  ["a trailer that ends in LF", `5\r\nhello\r\n0\r\nX: y\n\r\n${HIDDEN}`],
  ["an endless extension", `5;${"a".repeat(100_000)}\r\nhello\r\n0\r\n\r\n${HIDDEN}`],
  ["endless trailers", `0\r\n${"X: y\r\n".repeat(20_000)}\r\n${HIDDEN}`],
];

suite("request smuggling over HTTP/1.1", () => {
  let server: Maitred;

  before(async () => {
    server = await startMaitred(ARGS);
  });

  after(async () => {
    assert.deepEqual(await server.stop(), { code: 0, signal: null });
  });

  for (const [attack, bytes] of disagreements) {
    test(`${attack}: at most one answer, and the connection ends`, async () => {
      const answer = await exchangeRaw(server.port, bytes);
      const [first, ...others] = statuses(answer);
      // A field whose name has an underscore is no field at all: the length counts, and what it covers is the body.
      if (attack.endsWith("an underscore")) assert.equal(first, 200);
      else assert.ok(first === 400 || first === 501, answer.slice(0, 200));
      assert.deepEqual(others, []);
    });
  }

  for (const [attack, body] of chunks) {
    test(`a body in chunks with ${attack}: what follows is not served`, async () => {
      const answer = await exchangeRaw(server.port, post("Transfer-Encoding: chunked\r\n", body, "/read"));
      assert.ok(
        statuses(answer).every((status) => status >= 400),
        answer.slice(0, 200),
      );
      assert.ok(statuses(answer).length <= 1, answer.slice(0, 200));
    });
  }

  test("CL.0: a body that the application does not read is not the next request", async () => {
    const client = await RawClient.open(server.port);
    await client.send(post(`Content-Length: ${HIDDEN.length}\r\n`, HIDDEN));
    assert.equal((await client.response()).body.toString(), "answered /first");
    await client.send("GET /second HTTP/1.1\r\nHost: x\r\n\r\n");
    assert.equal((await client.response()).body.toString(), "answered /second");
    client.leave();
  });

  test("a body on GET and HEAD is a body too", async () => {
    for (const method of ["GET", "HEAD", "DELETE", "OPTIONS"]) {
      const client = await RawClient.open(server.port);
      await client.send(`${method} /first HTTP/1.1\r\nHost: x\r\nContent-Length: ${HIDDEN.length}\r\n\r\n${HIDDEN}`);
      assert.equal((await client.response(method === "HEAD")).status, 200);
      await client.send("GET /second HTTP/1.1\r\nHost: x\r\n\r\n");
      assert.equal((await client.response()).body.toString(), "answered /second", method);
      client.leave();
    }
  });

  test("a body that waits for 100 Continue and was never asked for is not the next request", async () => {
    const client = await RawClient.open(server.port);
    await client.send(post(`Expect: 100-continue\r\nContent-Length: ${HIDDEN.length}\r\n`, "", "/unread"));
    assert.equal((await client.response()).body.toString(), "answered /unread");
    await client.send(HIDDEN).catch(() => undefined);
    assert.equal(await client.rest(), "");
    client.leave();
  });

  test("a body that did not wait for 100 Continue is a body", async () => {
    const client = await RawClient.open(server.port);
    const fields = `Expect: 100-continue\r\nContent-Length: ${HIDDEN.length}\r\n`;
    await client.send(`${post(fields, HIDDEN)}GET /second HTTP/1.1\r\nHost: x\r\n\r\n`);
    assert.equal((await client.response()).body.toString(), "answered /first");
    assert.equal((await client.response()).body.toString(), "answered /second");
    client.leave();
  });

  test("a client that pauses in the middle of its body smuggles nothing when it goes on", async () => {
    // Answered before the body is there: what comes afterwards is still body.
    const streaming = await startMaitred([...ARGS, "--request-buffering", "off"]);
    const client = await RawClient.open(streaming.port);
    await client.send(post(`Content-Length: ${2_000_000 + HIDDEN.length}\r\n`, "x".repeat(1_500_000)));
    assert.equal((await client.response()).body.toString(), "answered /first");
    await client.send("x".repeat(500_000) + HIDDEN + "GET /second HTTP/1.1\r\nHost: x\r\n\r\n").catch(() => undefined);
    const rest = await client.rest();
    assert.ok(rest === "" || rest.includes("answered /second"), rest.slice(0, 200));
    client.leave();
    await streaming.stop();
  });

  test("the authority of an absolute target wins over Host, so that nobody can route by one and serve by the other", async () => {
    const client = await RawClient.open(server.port);
    await client.send("GET http://real.example/environ HTTP/1.1\r\nHost: evil.example\r\n\r\n");
    const environ = JSON.parse((await client.response()).body.toString()) as Record<string, string>;
    assert.equal(environ["HTTP_HOST"], "real.example");
    client.leave();
  });

  test("a field with an underscore does not pose as its dashed twin", async () => {
    const client = await RawClient.open(server.port);
    await client.send(
      "GET /environ HTTP/1.1\r\nHost: x\r\nX_Admin: forged\r\nX-Admin: real\r\nContent_Length: 5\r\n\r\n",
    );
    const environ = JSON.parse((await client.response()).body.toString()) as Record<string, string>;
    assert.equal(environ["HTTP_X_ADMIN"], "real");
    assert.equal(environ["CONTENT_LENGTH"] ?? "", "");
    client.leave();
  });

  test("nothing was smuggled, in all of these", async () => {
    const seen = await counted(server.port);
    assert.deepEqual(
      Object.keys(seen).filter((request) => request.includes("smuggled")),
      [],
    );
  });
});

suite("request smuggling through nginx", { skip: nginxPath === null ? "no nginx is installed" : false }, () => {
  let server: Maitred;
  let nginx: Nginx;

  before(async () => {
    server = await startMaitred(ARGS);
    nginx = await startNginx(
      `proxy_pass ${server.base}; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header X-Via nginx; proxy_request_buffering off;`,
    );
  });

  after(async () => {
    await nginx.stop();
    assert.deepEqual(await server.stop(), { code: 0, signal: null });
  });

  test("every request that reaches the application is one that nginx has sent", async () => {
    const all = [
      ...disagreements,
      ...chunks.map(([name, body]) => [name, post("Transfer-Encoding: chunked\r\n", body, "/read")] as const),
    ];
    for (const [attack, bytes] of all) {
      const client = await RawClient.open(nginx.port);
      await client.send(bytes).catch(() => undefined);
      client.socket.end();
      await client.rest();
      client.leave();
      // nginx may see a second request in it too, and then says so: what it marks is no smuggling.
      const unmarked = Object.keys(await counted(server.port)).filter((request) => !request.endsWith(" via nginx"));
      assert.deepEqual(unmarked, [], attack);
    }
    // Which of them nginx passes on hangs on when it notices that their client has left; that some are it does not.
    assert.notDeepEqual(await counted(server.port), {}, "some of it did pass");
  });
});

suite("response splitting", () => {
  let server: Maitred;

  before(async () => {
    server = await startMaitred(ARGS);
  });

  after(async () => {
    assert.deepEqual(await server.stop(), { code: 0, signal: null });
  });

  for (const [what, query] of [
    ["CRLF in a value", "name=X-A&value=1%0d%0aSet-Cookie:+evil"],
    ["a bare LF in a value", "name=X-A&value=1%0aSet-Cookie:+evil"],
    ["a bare CR in a value", "name=X-A&value=1%0dSet-Cookie:+evil"],
    ["NUL in a value", "name=X-A&value=1%00"],
    ["a whole response in a value", "name=X-A&value=1%0d%0a%0d%0aHTTP/1.1+200+OK%0d%0aContent-Length:+0%0d%0a%0d%0a"],
    ["CRLF in a name", "name=X-A:+1%0d%0aSet-Cookie&value=evil"],
    ["a colon in a name", "name=X-A:&value=evil"],
    ["a blank in a name", "name=X+A&value=evil"],
    ["an empty name", "name=&value=evil"],
    ["CRLF in the status", "status=200+OK%0d%0aSet-Cookie:+evil"],
    ["a second Content-Length", "name=Content-Length&value=3"],
    ["Transfer-Encoding", "name=Transfer-Encoding&value=chunked"],
  ] as const) {
    test(`${what} is an error of the application, told to nobody but the log`, async () => {
      const answer = await exchangeRaw(server.port, `GET /x?${query} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
      assert.equal(statuses(answer).length, 1, answer);
      assert.doesNotMatch(answer, /^Set-Cookie/im);
      assert.doesNotMatch(answer, /Traceback/);
      const [head = "", body = ""] = answer.split("\r\n\r\n");
      assert.equal(Number(/^content-length: (\d+)$/im.exec(head)?.[1]), body.length, answer);
      assert.equal(head.match(/^content-length:/gim)?.length, 1, answer);
    });
  }
});

suite("floods on one connection", { skip: process.platform !== "linux" }, () => {
  let server: Maitred;

  before(async () => {
    server = await startMaitred(ARGS);
  });

  after(async () => {
    assert.deepEqual(await server.stop(), { code: 0, signal: null });
  });

  const residentMb = (): number =>
    Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${server.pid}/status`, "utf8"))?.[1]) / 1024;

  test("a client that asks and never reads costs bounded memory, and is served when it does read", async () => {
    const browser = new Browser(server.port);
    await browser.get("/first");
    const before = residentMb();
    const client = await RawClient.open(server.port);
    client.socket.pause();
    // Each asks for 60 KB with 36 bytes: 1500 of them for 90 MB.
    await client.send("GET /large HTTP/1.1\r\nHost: x\r\n\r\n".repeat(1500));
    let served = -1;
    for (let now = 0; now !== served;) {
      served = now;
      for (let round = 0; round < 100; round++) await browser.get("/second");
      now = (await counted(server.port))["GET /large"] ?? 0;
    }
    const grown = residentMb() - before;
    assert.ok(served < 500, `${served} answers were made for nobody`);
    assert.ok(grown < 60, `${grown.toFixed(0)} MB more`);
    client.socket.resume();
    for (let answer = 0; answer < 1500; answer++) assert.equal((await client.response()).body.length, 60_000);
    client.leave();
    browser.close();
  });

  test("empty lines are not for ever", async () => {
    const answer = await exchangeRaw(server.port, "\r\n".repeat(10_000));
    assert.deepEqual(statuses(answer), [400]);
  });
});
