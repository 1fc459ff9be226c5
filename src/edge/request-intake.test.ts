/** The limits of bodies on their way in: size, speed, memory; and when the time of a slow body counts. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { HIGH_WATER } from "../http/request-body.ts";
import { type BodyLimits, GATHERED_BYTES } from "./body-limits.ts";
import { Client } from "./house.test.ts";

const post = (...fields: string[]): string => `${["POST /p HTTP/1.1", "Host: h", ...fields].join("\r\n")}\r\n\r\n`;

function bodies(differences: Partial<BodyLimits> = {}): BodyLimits {
  return {
    maxBytes: 0,
    memoryBytes: 1_048_576,
    timeoutMs: 10_000,
    minRate: 100,
    buffering: "auto",
    spool: null,
    gatheredBytes: 0,
    ...differences,
  };
}

describe("the size of a body", () => {
  test("announced over the limit is refused unread; what still comes is ignored", async () => {
    const client = new Client({ bodies: bodies({ maxBytes: 10 }) });
    await client.sends(`${post("Content-Length: 11")}12345678901`);
    assert.match(await client.received(), /^HTTP\/1\.1 413 Content Too Large\r\n.*<FIN>$/s);
    assert.deepEqual([client.submitted.length, client.told.includes("rejected 413")], [0, true]);
  });

  test("chunked is refused as soon as it goes over, all in one read or not", async () => {
    for (const pieces of [
      ["a\r\n1234567890\r\n1\r\nx\r\n0\r\n\r\n"],
      ["a\r\n1234567890\r\n", "1\r\nx\r\n", "0\r\n\r\n"],
    ]) {
      const client = new Client({ bodies: bodies({ maxBytes: 10 }) });
      await client.sends(post("Transfer-Encoding: chunked"), ...pieces);
      assert.match(await client.received(), /^HTTP\/1\.1 413 /);
      assert.equal(client.submitted.length, 0);
    }
  });

  test("at the limit is fine", async () => {
    const client = new Client({ bodies: bodies({ maxBytes: 10 }) });
    await client.sends(`${post("Content-Length: 10")}1234567890`);
    assert.equal(client.submitted[0]!.body?.length, 10);
  });

  test("that is streamed: the app hears that the client is gone", async () => {
    const client = new Client({ bodies: bodies({ maxBytes: 10 }), streamsBodies: () => true });
    await client.sends(post("Transfer-Encoding: chunked"), "5\r\n12345\r\n");
    const exchange = client.submitted[0]!;
    let gone = 0;
    exchange.onGone = () => gone++;
    await client.sends("6\r\n123456\r\n");
    assert.match(await client.received(), /^HTTP\/1\.1 413 /);
    assert.deepEqual([gone, exchange.state], [1, "done"]);
  });
});

describe("the speed of a body", () => {
  const at = (client: Client, ms: number): void => client.connection.checkTimeouts(ms);

  test("nothing for the whole period is a 408", async () => {
    const client = new Client({ bodies: bodies() });
    await client.sends(post("Content-Length: 9999"));
    at(client, 9999);
    assert.equal(await client.received(), "");
    at(client, 10_000);
    assert.match(await client.received(), /^HTTP\/1\.1 408 /);
  });

  test("each period counts anew: a quick beginning buys nothing", async () => {
    const client = new Client({ bodies: bodies() });
    await client.sends(post("Content-Length: 99999"), "x".repeat(50_000));
    at(client, 10_000);
    await client.sends("x".repeat(999));
    at(client, 19_999);
    assert.equal(await client.received(), "");
    at(client, 20_000);
    assert.match(await client.received(), /^HTTP\/1\.1 408 /);
  });

  test("time in which we do not read does not count", async () => {
    const client = new Client({ bodies: bodies(), streamsBodies: () => true });
    await client.sends(post("Content-Length: 9999999"), "x".repeat(HIGH_WATER + 1));
    assert.equal(client.socket.isPaused(), true);
    for (const seconds of [15, 30, 45]) at(client, seconds * 1000);
    assert.equal(await client.received(), "");
    client.submitted[0]!.stream!.take(HIGH_WATER);
    at(client, 56_000);
    at(client, 66_000);
    assert.match(await client.received(), /^HTTP\/1\.1 408 /);
  });

  test("without --min-body-rate one byte is enough; without --body-timeout none is needed", async () => {
    const patient = new Client({ bodies: bodies({ minRate: 0 }) });
    await patient.sends(`${post("Content-Length: 99")}x`);
    at(patient, 10_000);
    assert.equal(await patient.received(), "");
    const endless = new Client({ bodies: bodies({ timeoutMs: 0 }) });
    await endless.sends(post("Content-Length: 99"));
    at(endless, 1_000_000);
    assert.equal(await endless.received(), "");
  });

  test("counts as well while an answered request's body is thrown away", async () => {
    const client = new Client({ bodies: bodies(), streamsBodies: () => true });
    await client.sends(`${post("Content-Length: 9999")}x`);
    client.reply("no");
    await client.received();
    at(client, 10_000);
    at(client, 20_000);
    assert.equal(await client.received(), "<FIN>");
  });
});

describe("the memory of bodies", () => {
  test("is given back when they are submitted, streamed or given up", async () => {
    const limits = bodies();
    const whole = new Client({ bodies: limits });
    await whole.sends(`${post("Content-Length: 6")}abc`);
    assert.equal(limits.gatheredBytes, 3);
    await whole.sends("def");
    const left = new Client({ bodies: limits });
    await left.sends(`${post("Content-Length: 6")}abc`);
    await left.ends();
    const large = new Client({ bodies: limits });
    await large.sends(`${post("Transfer-Encoding: chunked")}100000\r\n${"x".repeat(1_048_576)}\r\n`);
    await large.sends("1\r\nx\r\n");
    assert.equal(large.submitted[0]!.stream?.size, 1_048_577);
    assert.equal(limits.gatheredBytes, 0);
  });

  test("is bounded for all of them together: past it they do not wait in memory", async () => {
    const limits = bodies();
    limits.gatheredBytes = GATHERED_BYTES;
    const client = new Client({ bodies: limits });
    await client.sends(`${post("Content-Length: 6")}abc`);
    assert.equal(client.submitted[0]!.stream?.size, 3);
  });
});

describe("--request-buffering", () => {
  test("off streams a WSGI app's bodies, on gathers an ASGI app's", async () => {
    const off = new Client({ bodies: bodies({ buffering: "off" }) });
    await off.sends(`${post("Content-Length: 6")}abc`);
    assert.equal(off.submitted[0]!.stream?.size, 3);
    const on = new Client({ bodies: bodies({ buffering: "on" }), streamsBodies: () => true });
    await on.sends(`${post("Content-Length: 6")}abc`);
    assert.equal(on.submitted.length, 0);
    await on.sends("def");
    assert.equal(on.submitted[0]!.body?.toString(), "abcdef");
  });
});
