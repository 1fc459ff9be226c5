/** A folder with files of all kinds, some of them traps, and a server that serves it in several ways. */
import { execFileSync } from "node:child_process";
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before } from "node:test";
import { brotliCompressSync, gzipSync, zstdCompressSync } from "node:zlib";

import { type Maitred, startMaitred } from "./maitred.ts";
import { testApps } from "./places.ts";
import { RawClient, type RawResponse } from "./raw-client.ts";

const base: string = mkdtempSync(join(tmpdir(), "maitred-static-"));
export const root: string = join(base, "files");
export const AN_HOUR_AGO: Date = new Date(Math.floor(Date.now() / 1000) * 1000 - 3_600_000);
/** 3 MB: never in memory. */
export const large: Buffer = Buffer.from(Array.from({ length: 3_000_001 }, (_, at) => (at * 7919) >> 5));

/** A file that has not changed for an hour. */
export function put(path: string, content: string | Buffer, when: Date = AN_HOUR_AGO): string {
  const whole = join(root, path);
  mkdirSync(join(whole, ".."), { recursive: true });
  writeFileSync(whole, content);
  utimesSync(whole, when, when);
  return whole;
}

/** Known when the tests run. */
export let server: Maitred;

export async function ask(target: string, head = "", method = "GET"): Promise<RawResponse & { text: string }> {
  const client = await RawClient.open(server.port);
  await client.send(`${method} ${target} HTTP/1.1\r\nHost: a\r\n${head}Connection: close\r\n\r\n`);
  const response = await client.response(method === "HEAD");
  assert.equal(await client.rest(), "", "nothing behind the response");
  client.leave();
  return { ...response, text: response.body.toString("utf8") };
}

/** For the whole file of tests. */
export function serveStaticSite(): void {
  before(async () => {
    put("one.txt", "one\n");
    put("large.bin", large);
    put("empty.css", "");
    put("pages/index.html", "<p>pages");
    put("bare/only.txt", "only");
    put("app.5f2d3c4b5a69.css", "body{}");
    put("assets/index-DiwrgTda.js", "1");
    put("caf\u00e9 one.txt", "coffee");
    put(".env", "SECRET=1");
    put(".git/config", "secret");
    put(".well-known/security.txt", "Contact: mailto:a@example.com");
    put("style.css", "a{color:red}".repeat(50));
    put("style.css.gz", gzipSync("a{color:red}".repeat(50)));
    put("style.css.br", brotliCompressSync("a{color:red}".repeat(50)));
    put("style.css.zst", zstdCompressSync("a{color:red}".repeat(50)));
    put("old.css", "new content, long enough to be compressed ".repeat(9));
    put("old.css.gz", gzipSync("old content"), new Date(AN_HOUR_AGO.getTime() - 600_000));
    put("spa/index.html", "<p>app");
    put("spa/main.js", "main");
    put("listed/a <b>&.txt", "x");
    put("listed/sub/x", "x");
    put("listed/.hidden", "x");
    put("shop/x.txt", "shop");
    put("../secret", "secret");
    symlinkSync("../secret", join(root, "leak"));
    symlinkSync("one.txt", join(root, "inside"));
    symlinkSync("..", join(root, "up"));
    symlinkSync("loop", join(root, "loop"));
    execFileSync("mkfifo", [join(root, "pipe")]);
    writeFileSync(
      join(base, "maitred.toml"),
      `app = "wsgi_app:application"
bind = "127.0.0.1:0"
chdir = "${testApps}"
workers = 1
http2-cleartext = "prior-knowledge"
[[route]]
path = "/static"
static = "${root}"
[[route]]
path = "/spa"
static = { root = "${root}/spa", fallback = "index.html", max-age = "1h" }
[[route]]
path = "/mixed"
static = { root = "${root}", otherwise = "main", max-age = false, types = { ".TXT" = "text/x-note" } }
[[route]]
path = "/listed"
static = { root = "${root}/listed", listing = true }
[[route]]
path = "/all"
static = { root = "${root}", dotfiles = true, outside-links = true, precompressed = false, index = [], immutable = true }
[[route]]
path = "/one.txt$"
static = "${root}"
[[route]]
path = "/licence"
static = "${root}/one.txt"
[[site]]
hosts = ["shop.example"]
[[site.route]]
path = "/"
static = "${root}/shop"
`,
    );
    server = await startMaitred(["-c", join(base, "maitred.toml")]);
    // What has only just been written has weak validators.
    while ((await ask("/static/large.bin")).headers["etag"]!.startsWith("W/"))
      await new Promise((resolve) => setTimeout(resolve, 100));
  });
  after(() => rmSync(base, { recursive: true }));
}
