/** What is written, and where. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

import { Browser } from "../support/browser.ts";
import { startMaitred } from "../support/maitred.ts";
import { temporaryFolder, testApps } from "../support/places.ts";
import { RawClient } from "../support/raw-client.ts";

const HERE = ["-b", "127.0.0.1:0", "--chdir", testApps];
const TIME = String.raw`\[\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d [+-]\d{4}\]`;

test("--access-logfile - writes gunicorn's combined format to stdout", async () => {
  const server = await startMaitred([...HERE, "--access-logfile", "-", "wsgi_app:application"]);
  const browser = new Browser(server.port);
  await browser.get("/page?q=1%202", { "user-agent": 'tester "quoted"', referer: "http://example.org/" });
  await server.waitForLine(
    new RegExp(
      String.raw`^127\.0\.0\.1 - - ${TIME} "GET /page\?q=1%202 HTTP/1\.1" 200 5 "http://example\.org/" "tester \\?(x22|")quoted\\?(x22|")"$`,
      "m",
    ),
  );
  await browser.ask("/other", { method: "HEAD" });
  await server.waitForLine(
    new RegExp(String.raw`^127\.0\.0\.1 - - ${TIME} "HEAD /other HTTP/1\.1" 200 \S+ "-" "-"$`, "m"),
  );
  assert.match(server.stdout(), /GET \/page/);
  assert.doesNotMatch(server.stderr(), /GET \/page/);
  browser.close();
  await server.stop();
});

test("a request that maitred refuses itself is in the access log too", async () => {
  const server = await startMaitred([...HERE, "--access-logfile", "-", "wsgi_app:application"]);
  const client = await RawClient.open(server.port);
  await client.send("GET /nohost HTTP/1.1\r\n\r\n");
  assert.equal((await client.response()).status, 400);
  await server.waitForLine(new RegExp(String.raw`^127\.0\.0\.1 - - ${TIME} ".*" 400 `, "m"));
  client.leave();
  await server.stop();
});

test("--access-logformat is gunicorn's", async () => {
  const server = await startMaitred([
    ...HERE,
    "--access-logfile",
    "-",
    "--access-logformat",
    "%(m)s|%(U)s|%(q)s|%(s)s|%(B)s|%({x-id}i)s|%({content-type}o)s|%(H)s",
    "wsgi_app:application",
  ]);
  const browser = new Browser(server.port);
  await browser.get("/page?q=1", { "x-id": "77" });
  await server.waitForLine(/^GET\|\/page\|q=1\|200\|5\|77\|text\/plain\|HTTP\/1\.1$/m);
  browser.close();
  await server.stop();
});

test("without --access-logfile there is no access log", async () => {
  const server = await startMaitred([...HERE, "wsgi_app:application"]);
  const browser = new Browser(server.port);
  await browser.get("/page");
  browser.close();
  await server.stop();
  assert.doesNotMatch(server.stdout() + server.stderr(), /GET \/page/);
});

test("a log line cannot be forged by a client", async () => {
  const server = await startMaitred([...HERE, "--access-logfile", "-", "wsgi_app:application"]);
  const client = await RawClient.open(server.port);
  await client.send('GET /a HTTP/1.1\r\nHost: x\r\nUser-Agent: a" 200 5 "-" "\xe9\x9b\t\r\n\r\n');
  await client.response();
  const [line] = await server.waitForLine(/^127\.0\.0\.1 - - .*$/m);
  assert.doesNotMatch(line, /" 200 5 "-" ".*" 200 5 "-" "/, "the quote in the field ends it");
  assert.doesNotMatch(line, /[\x00-\x1f\x7f-\x9f]/, "a control character, which a terminal would obey");
  client.leave();
  await server.stop();
});

test("log files take the place of the streams", async () => {
  const folder = temporaryFolder();
  const access = join(folder, "access.log");
  const server = await startMaitred([...HERE, "--access-logfile", access, "wsgi_app:application"]);
  const browser = new Browser(server.port);
  await browser.get("/page");
  browser.close();
  await server.stop();
  assert.match(readFileSync(access, "utf8"), /"GET \/page HTTP\/1\.1" 200 5 /);
});

test("lines on stderr have gunicorn's shape", async () => {
  const server = await startMaitred([...HERE, "wsgi_app:application"]);
  await server.stop();
  const ours = server
    .stderr()
    .split("\n")
    .filter((line) => line.startsWith("["));
  assert.ok(ours.length >= 3);
  for (const line of ours)
    assert.match(
      line,
      /^\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d [+-]\d{4}\] \[\d+\] \[(CRITICAL|ERROR|WARNING|INFO|DEBUG)\] \S/,
    );
});

test("what the application prints arrives: stdout on stdout, stderr and wsgi.errors on stderr", async () => {
  const server = await startMaitred([...HERE, "wsgi_app:application"]);
  const browser = new Browser(server.port);
  await browser.get("/print");
  await server.waitForLine(/printed to stdout/);
  await server.waitForLine(/printed to sys\.stderr/);
  await server.waitForLine(/written to wsgi\.errors/);
  assert.match(server.stdout(), /printed to stdout/);
  assert.match(server.stderr(), /printed to sys\.stderr/);
  assert.match(server.stderr(), /written to wsgi\.errors/);
  browser.close();
  await server.stop();
});
