/** Streamed responses: what is given comes out, when it does, what bounds it, and how it ends. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { brotliDecompressSync, constants, createGunzip, gunzipSync, zstdDecompressSync } from "node:zlib";
import fc from "fast-check";
import type { Coding } from "../http/negotiation.ts";
import { CODINGS, decoded, fieldsOf, house, type Passed, pass } from "./house.test.ts";

const HTML = fieldsOf("Content-Type", "text/html");

/** What can be read of a stream that has not ended. */
function readable(bytes: Buffer, coding: Coding): string {
  switch (coding) {
    case "gzip":
      return gunzipSync(bytes, { finishFlush: constants.Z_SYNC_FLUSH }).toString("latin1");
    case "br":
      return brotliDecompressSync(bytes, { finishFlush: constants.BROTLI_OPERATION_FLUSH }).toString("latin1");
    case "zstd":
      return zstdDecompressSync(bytes, { finishFlush: constants.ZSTD_e_flush }).toString("latin1");
  }
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Resolves when the client has got a piece since the call, while time goes on. */
async function nextPiece({ client }: Passed, clock: { advance(ms: number): void }): Promise<void> {
  const before = client.pieces.length;
  while (client.pieces.length === before) {
    clock.advance(1);
    await turn();
  }
}

describe("a streamed response", () => {
  test("becomes itself again, whatever its pieces are", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.oneof(fc.uint8Array({ maxLength: 3000 }), fc.constant(new Uint8Array(70_000))), { maxLength: 12 }),
        fc.constantFrom(...CODINGS),
        fc.boolean(),
        fc.boolean(),
        async (pieces, coding, isGuarded, isHasty) => {
          const one = house();
          const { inner, client } = pass(`Accept-Encoding: ${coding}${isGuarded ? "\r\nCookie: a=b" : ""}`, one);
          inner.start(200, "", HTML);
          assert.equal(client.fields["content-encoding"], coding);
          for (const piece of pieces) {
            inner.write(Buffer.from(piece));
            one.clock.advance(isHasty ? 0 : 10);
            if (!isHasty) await turn();
          }
          inner.end();
          assert.equal(await client.over, "whole");
          assert.ok(decoded(client.body, coding).equals(Buffer.concat(pieces)));
        },
      ),
      { numRuns: 60 },
    );
  });

  for (const coding of CODINGS)
    test(`can be read by the client as far as the app has written it (${coding})`, async () => {
      const one = house();
      const passed = pass(`Accept-Encoding: ${coding}\r\nCookie: a=b`, one);
      passed.inner.start(200, "", HTML);
      let text = "";
      for (const line of ["one\n", "two\n", "three\n"]) {
        text += line;
        passed.inner.write(Buffer.from(line));
        await nextPiece(passed, one.clock);
        assert.equal(readable(passed.client.body, coding), text);
      }
      passed.inner.end();
      assert.equal(await passed.client.over, "whole");
      assert.equal(passed.client.text, text);
    });

  test("of events leaves at once where it is asked for, other pieces gather for a moment", async () => {
    for (const [type, waits] of [
      ["text/event-stream", 0],
      ["text/html", 5],
    ] as const) {
      const one = house();
      const { inner } = pass("Accept-Encoding: gzip", one, { types: ["text/event-stream", "text/html"] });
      inner.start(200, "", fieldsOf("Content-Type", type));
      inner.write(Buffer.from("data: x\n\n"));
      const { clock } = one;
      assert.equal(clock.timers, 1);
      if (waits > 0) clock.advance(waits - 1);
      assert.equal(clock.timers, 1, type);
      clock.advance(waits === 0 ? 0 : 1);
      assert.equal(clock.timers, 0);
      inner.leave();
    }
  });

  test("answers HEAD with the fields alone", () => {
    const { inner, client } = pass("Accept-Encoding: gzip", house(), {}, "HEAD");
    inner.start(200, "", HTML);
    inner.end();
    assert.equal(client.fields["content-encoding"], "gzip");
  });

  test("that is short by its own word goes as it is", async () => {
    const { inner, client } = pass("Accept-Encoding: gzip");
    inner.start(200, "", fieldsOf("Content-Type", "text/html", "Content-Length", "5"));
    inner.write(Buffer.from("hello"));
    inner.end();
    assert.equal(await client.over, "whole");
    assert.deepEqual([client.text, client.fields["content-length"]], ["hello", "5"]);
  });

  test("keeps its trailers, but for those that speak of the plain bytes", async () => {
    const one = house();
    const { inner, client } = pass("Accept-Encoding: gzip", one);
    inner.start(200, "", HTML);
    inner.write(Buffer.from("x"));
    inner.end(fieldsOf("Server-Timing", "app;dur=1", "Repr-Digest", "sha-256=:x:"));
    await client.over;
    assert.deepEqual(client.trailers, ["Server-Timing", "app;dur=1"]);
  });
});

describe("a promised length", () => {
  const promising = async (...pieces: string[]): Promise<{ end: string; text: string; told: readonly string[] }> => {
    const one = house();
    const { inner, client } = pass("Accept-Encoding: gzip", one, { minBytes: 1 });
    inner.start(200, "", fieldsOf("Content-Type", "text/html", "Content-Length", "10"));
    for (const piece of pieces) inner.write(Buffer.from(piece));
    inner.end();
    const end = await client.over;
    return { end, text: end === "whole" ? client.text : "", told: one.told };
  };

  test("is kept, or the connection is cut, and the log tells", async () => {
    assert.deepEqual(await promising("01234", "56789"), { end: "whole", text: "0123456789", told: [] });
    const short = await promising("01234");
    assert.equal(short.end, "cut");
    assert.match(short.told.join(), /promised Content-Length 10 and sent 5 bytes/);
    const long = await promising("01234", "56789xyz", "more");
    assert.deepEqual([long.end, long.text], ["whole", "0123456789"]);
    assert.match(long.told.join(), /promised Content-Length 10 and sent 17 bytes/);
  });
});

describe("a slow client", () => {
  test("holds the app back: what waits for it is bounded, and it gets all", async () => {
    const one = house();
    const passed = pass("Accept-Encoding: gzip", one);
    const { inner, outer, client } = passed;
    client.isSlow = true;
    inner.start(200, "", HTML);
    const sent = Buffer.concat(Array.from({ length: 64 }, () => crypto.getRandomValues(Buffer.alloc(32_768))));
    // A worker with a credit of 128 KiB.
    let credit = 131_072;
    let at = 0;
    const give = (): void => {
      while (credit >= 32_768 && at < sent.length) {
        credit -= 32_768;
        inner.write(sent.subarray(at, (at += 32_768)));
      }
      if (at === sent.length) inner.end();
    };
    inner.onSent = (bytes) => {
      credit += bytes;
      give();
    };
    give();
    let last = -1;
    while (last !== client.pieces.length) {
      last = client.pieces.length;
      for (let count = 0; count < 20; count++) await turn();
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    assert.ok(at < 500_000, `${at} bytes were taken from the app`);
    client.onPiece = () => setImmediate(() => client.take(outer, client.untaken));
    client.take(outer, client.untaken);
    assert.equal(await client.over, "whole");
    assert.ok(client.mostUntaken < 300_000, `${client.mostUntaken} bytes waited for the client`);
    assert.ok(decoded(client.body, "gzip").equals(sent));
  });
});

describe("a response that does not end well", () => {
  test("is over when its client leaves: the app hears it, and nothing is left", async () => {
    const one = house();
    for (let count = 0; count < 100; count++) {
      const { inner, outer } = pass("Accept-Encoding: br", one);
      let heard = 0;
      inner.onGone = () => heard++;
      inner.start(200, "", HTML);
      assert.equal(outer.responseFields?.flat.includes("br"), true, `compressor ${count} was not given back`);
      inner.write(Buffer.alloc(100_000, "x"));
      if (count % 2 === 0) await turn();
      outer.leave();
      assert.equal(heard, 1);
      assert.equal(inner.state, "done");
    }
    assert.equal(one.clock.timers, 0);
    // The threads are free again too.
    const { inner, client } = pass("Accept-Encoding: br", one);
    inner.start(200, "", HTML);
    inner.end();
    assert.equal(await client.over, "whole");
  });

  test("is cut where the app cuts it", async () => {
    const one = house();
    const { inner, client } = pass("Accept-Encoding: gzip", one);
    inner.start(200, "", HTML);
    inner.write(Buffer.from("half"));
    inner.cut();
    assert.equal(await client.over, "cut");
    assert.equal(one.clock.timers, 0);
  });

  test("has what the client can read up to there", async () => {
    const one = house();
    const passed = pass("Accept-Encoding: gzip", one);
    passed.inner.start(200, "", HTML);
    passed.inner.write(Buffer.from("half"));
    await nextPiece(passed, one.clock);
    passed.inner.cut();
    const gunzip = createGunzip();
    const error = new Promise((resolve) => gunzip.once("error", resolve));
    gunzip.end(passed.client.body);
    assert.match(String(await error), /unexpected end of file/);
  });
});

describe("more streams than may be compressed at once", () => {
  test("go as they are, with Vary, and the log tells", async () => {
    const one = house();
    const all = Array.from({ length: 70 }, () => pass("Accept-Encoding: gzip", one));
    for (const { inner } of all) inner.start(200, "", HTML);
    const plain = all.filter(({ client }) => client.fields["content-encoding"] === undefined);
    assert.equal(plain.length, 6);
    for (const { client } of plain) assert.equal(client.fields["vary"], "Accept-Encoding");
    assert.match(one.told.join(), /uncompressed: 64 are being compressed/);
    for (const { inner } of all) {
      inner.write(Buffer.from("hello"));
      inner.end();
    }
    for (const { client } of all) {
      assert.equal(await client.over, "whole");
      assert.equal(client.text, "hello");
    }
    const { inner, client } = pass("Accept-Encoding: gzip", one);
    inner.start(200, "", HTML);
    assert.equal(client.fields["content-encoding"], "gzip");
    inner.leave();
  });
});
