/** The compressing stage between a scripted app and a scripted client; the compressors are the real ones. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { CompressionPlan } from "../config/compression.ts";
import type { Coding } from "../http/negotiation.ts";
import { type Client, CODINGS, fieldsOf, house, PAGE, pass } from "./house.test.ts";

async function answer(
  lines: string,
  flat: readonly string[],
  { status = 200, body = PAGE as string | Buffer, method = "GET", plan = {} as Partial<CompressionPlan> } = {},
): Promise<Client> {
  const { inner, client } = pass(lines, house(), plan, method);
  inner.complete(status, "", fieldsOf(...flat), body);
  assert.equal(await client.over, "whole");
  return client;
}

const HTML = ["Content-Type", "text/html; charset=utf-8"] as const;

describe("a whole response", () => {
  for (const coding of CODINGS)
    test(`is sent as ${coding} to who accepts it, and becomes itself again`, async () => {
      const client = await answer(`Accept-Encoding: ${coding}`, [...HTML, "Content-Length", String(PAGE.length)]);
      assert.equal(client.fields["content-encoding"], coding);
      assert.equal(client.fields["vary"], "Accept-Encoding");
      assert.equal(client.fields["content-length"], undefined);
      assert.ok(client.body.length < PAGE.length / 5);
      assert.equal(client.text, PAGE);
    });

  test("that is large is compressed on another thread, to the same end", async () => {
    const body = Buffer.from(PAGE.repeat(100));
    for (const coding of CODINGS) {
      const client = await answer(`Accept-Encoding: ${coding}`, HTML, { body });
      assert.equal(client.fields["content-encoding"], coding);
      assert.equal(client.text, body.toString("latin1"));
    }
  });

  test("goes as it is, with Vary, to who accepts none", async () => {
    for (const lines of ["", "Accept-Encoding: deflate", "Accept-Encoding: gzip;q=0, br;q=0, zstd;q=0"]) {
      const client = await answer(lines, HTML);
      assert.equal(client.fields["content-encoding"], undefined);
      assert.equal(client.fields["vary"], "Accept-Encoding");
      assert.equal(client.text, PAGE);
    }
  });

  const alone: readonly (readonly [string, readonly string[], object?])[] = [
    ["is encoded already", [...HTML, "Content-Encoding", "br"]],
    ["says that it is not encoded", [...HTML, "content-encoding", "identity"]],
    ["is a part", [...HTML, "Content-Range", "bytes 0-3700/9000"], { status: 206 }],
    ["is a part by its status only", [...HTML], { status: 206 }],
    ["has Content-Range", [...HTML, "Content-Range", "bytes 0-3700/9000"]],
    ["must not be transformed", [...HTML, "Cache-Control", "public, no-transform"]],
    ["is an image", ["Content-Type", "image/png"]],
    ["is a stream of events", ["Content-Type", "text/event-stream"]],
    ["has no type", []],
    ["is short", [...HTML], { body: "x".repeat(1023) }],
  ];
  for (const [what, flat, options] of alone)
    test(`that ${what} is left alone`, async () => {
      const client = await answer("Accept-Encoding: gzip, br, zstd", flat, options);
      assert.deepEqual(
        Object.entries(client.fields),
        Array.from({ length: flat.length / 2 }, (_, at) => [flat[2 * at]!.toLowerCase(), flat[2 * at + 1]!]),
      );
    });

  test("without a body is left alone", async () => {
    for (const status of [204, 205, 304]) {
      const client = await answer("Accept-Encoding: gzip", HTML, { status, body: "" });
      assert.deepEqual(client.fields, { "content-type": HTML[1] });
    }
  });

  test("is left alone where the client asks for no transformation", async () => {
    const client = await answer("Accept-Encoding: gzip\r\nCache-Control: no-transform", HTML);
    assert.equal(client.fields["content-encoding"], undefined);
  });

  test("that compression would make larger goes as it is", async () => {
    const body = Buffer.from(Array.from({ length: 2000 }, (_, at) => (at * 7919 * at) % 251));
    const random = Buffer.concat(Array.from({ length: 2 }, () => crypto.getRandomValues(Buffer.alloc(1000))));
    const client = await answer("Accept-Encoding: gzip", HTML, { body: random });
    assert.equal(client.fields["content-encoding"], undefined);
    assert.equal(client.fields["vary"], "Accept-Encoding");
    assert.ok(client.body.equals(random));
    assert.equal((await answer("Accept-Encoding: gzip", HTML, { body })).text, body.toString("latin1"));
  });

  test("whose Content-Length is wrong is the edge's to mend", async () => {
    const client = await answer("Accept-Encoding: gzip", [...HTML, "Content-Length", "9"]);
    assert.equal(client.fields["content-encoding"], undefined);
    assert.equal(client.fields["content-length"], "9");
  });

  test("of an error is compressed too", async () => {
    assert.equal((await answer("Accept-Encoding: gzip", HTML, { status: 404 })).fields["content-encoding"], "gzip");
  });
});

describe("the fields of a compressed response", () => {
  const fields = async (...flat: string[]): Promise<Record<string, string>> =>
    (await answer("Accept-Encoding: gzip", [...HTML, ...flat])).fields;

  test("have Vary with what it had", async () => {
    assert.equal((await fields("Vary", "Cookie"))["vary"], "Cookie, Accept-Encoding");
    assert.equal((await fields("Vary", "accept-encoding, Cookie"))["vary"], "accept-encoding, Cookie");
    assert.equal((await fields("Vary", "*"))["vary"], "*");
    assert.equal((await fields("Vary", ""))["vary"], "Accept-Encoding");
  });

  test("have a weak validator, and nothing that speaks of the plain bytes", async () => {
    const all = await fields(
      ...'ETag|"abc"|Accept-Ranges|bytes|Content-MD5|x|Digest|sha-256=x|Repr-Digest|sha-256=:x:|Content-Digest|sha-256=:x:|Last-Modified|today'.split(
        "|",
      ),
    );
    assert.deepEqual(all, {
      "content-type": HTML[1],
      etag: 'W/"abc"',
      "last-modified": "today",
      "content-encoding": "gzip",
      vary: "Accept-Encoding",
    });
    assert.equal((await fields("ETag", 'W/"abc"'))["etag"], 'W/"abc"');
    assert.equal((await fields("ETag", "unquoted"))["etag"], "unquoted");
  });

  test("answer HEAD as they answer GET", async () => {
    const flat = [...HTML, "ETag", '"abc"', "Content-Length", String(PAGE.length)];
    const get = await answer("Accept-Encoding: br", flat);
    const head = await answer("Accept-Encoding: br", flat, { method: "HEAD", body: "" });
    assert.deepEqual(head.fields, get.fields);
    assert.equal(head.body.length, 0);
    const short = [...HTML, "Content-Length", "10"];
    const unchanged = await answer("Accept-Encoding: br", short, { method: "HEAD", body: "" });
    assert.deepEqual(unchanged.fields, { "content-type": HTML[1], "content-length": "10" });
  });
});

describe("conditions of a request", () => {
  const seen = (lines: string, name: string): string | undefined => pass(lines).inner.head.headers.get(name);

  test("reach the app with the validators that it gave", () => {
    const accept = "Accept-Encoding: gzip\r\n";
    assert.equal(seen(`${accept}If-None-Match: W/"abc"`, "if-none-match"), '"abc"');
    assert.equal(seen(`${accept}If-None-Match: "x", W/"a/W/,c"`, "if-none-match"), '"x", "a/W/,c"');
    assert.equal(seen(`${accept}If-Match: W/"abc",W/"d"`, "if-match"), '"abc","d"');
    assert.equal(seen(`${accept}If-None-Match: *`, "if-none-match"), "*");
    assert.equal(seen(`${accept}If-None-Match: W/unquoted`, "if-none-match"), "W/unquoted");
    assert.equal(seen(`${accept}If-Range: W/"abc"`, "if-range"), 'W/"abc"');
    // Who never got anything compressed has the validator from the app itself.
    assert.equal(seen('If-None-Match: W/"abc"', "if-none-match"), 'W/"abc"');
  });

  test("that hold are answered with the validator that the client has", async () => {
    const lines = 'Accept-Encoding: gzip\r\nIf-None-Match: W/"abc"';
    const client = await answer(lines, ["ETag", '"abc"'], { status: 304, body: "" });
    assert.deepEqual(client.fields, { etag: 'W/"abc"', vary: "Accept-Encoding" });
    const other = await answer(lines, ["ETag", '"other"'], { status: 304, body: "" });
    assert.deepEqual(other.fields, { etag: '"other"' });
  });
});

describe("pages that depend on who asks", () => {
  const lengths = async (lines: string, flat: readonly string[], coding: Coding): Promise<Set<number>> => {
    const found = new Set<number>();
    for (let count = 0; count < 12; count++) {
      const client = await answer(`Accept-Encoding: ${coding}\r\n${lines}`, flat);
      assert.equal(client.text, PAGE);
      found.add(client.body.length);
    }
    return found;
  };

  for (const coding of CODINGS)
    test(`have a random length as ${coding}`, async () => {
      assert.ok((await lengths("Cookie: a=b", HTML, coding)).size > 3);
      assert.ok((await lengths("Authorization: Basic x", HTML, coding)).size > 3);
      assert.ok((await lengths("X: y", [...HTML, "Set-Cookie", "a=b"], coding)).size > 3);
      assert.equal((await lengths("X: y", HTML, coding)).size, 1);
      assert.equal((await lengths("Cookie: a=b", [...HTML, "Cache-Control", "public, max-age=1"], coding)).size, 1);
    });

  test("are not compressed, or are as all others, where the configuration says so", async () => {
    const lines = "Accept-Encoding: gzip\r\nCookie: a=b";
    const skipped = await answer(lines, HTML, { plan: { breach: "skip" } });
    assert.equal(skipped.fields["content-encoding"], undefined);
    assert.equal(skipped.fields["vary"], "Accept-Encoding");
    const sizes = new Set<number>();
    for (let count = 0; count < 5; count++) {
      sizes.add((await answer(lines, HTML, { plan: { breach: "off" } })).body.length);
    }
    assert.equal(sizes.size, 1);
  });
});

describe("the configuration", () => {
  test("chooses codings, types, levels and the least size", async () => {
    const both = "Accept-Encoding: gzip, br, zstd";
    const gzip = await answer(both, HTML, { plan: { codings: ["gzip", "br"] } });
    assert.equal(gzip.fields["content-encoding"], "gzip");
    const png = await answer(both, ["Content-Type", "IMAGE/PNG ; x"], { plan: { types: ["image/png"] } });
    assert.equal(png.fields["content-encoding"], "zstd");
    assert.equal((await answer(both, HTML, { plan: { types: ["image/*"] } })).fields["content-encoding"], undefined);
    const problem = ["Content-Type", "application/problem+json"];
    assert.equal((await answer(both, problem)).fields["content-encoding"], "zstd");
    assert.equal((await answer(both, HTML, { plan: { minBytes: 1e6 } })).fields["content-encoding"], undefined);
    const levels = { gzip: 1, br: 11, zstd: 19 };
    const text = Buffer.from(Array.from({ length: 9000 }, (_, at) => `${(at * at) % 1009} `).join(""));
    const best = await answer("Accept-Encoding: br", HTML, { body: text, plan: { levels } });
    const usual = await answer("Accept-Encoding: br", HTML, { body: text });
    assert.ok(best.body.length < usual.body.length);
  });
});

describe("a body that comes again", () => {
  test("is compressed once for each coding, also for those who ask meanwhile", async () => {
    const one = house();
    const body = Buffer.from(PAGE.repeat(100));
    const ask = (lines: string): Client => {
      const { inner, client } = pass(lines, one);
      inner.complete(200, "", fieldsOf(...HTML), body);
      return client;
    };
    const clients = Array.from({ length: 5 }, () => ask("Accept-Encoding: gzip"));
    await Promise.all(clients.map(({ over }) => over));
    const again = ask("Accept-Encoding: gzip");
    // The answer is there at once: nothing was compressed.
    assert.equal(again.text, body.toString("latin1"));
    for (const client of clients) assert.ok(client.body.equals(again.body));
    assert.equal(await ask("Accept-Encoding: br").over, "whole");
  });
});
