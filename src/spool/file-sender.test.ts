/** Files on a sink whose client takes bytes when the test says so. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, openSync, readdirSync, readlinkSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import type { Exchange } from "../http/exchange.ts";
import { fieldsOf, RecordingSink, sampleExchange } from "../http/exchange.test.ts";
import { sendFile, sendSegments } from "./file-sender.ts";

const folder = mkdtempSync(join(tmpdir(), "maitred-sender-"));
after(() => rmSync(folder, { recursive: true }));

function file(name: string, bytes: Buffer | string): string {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
}

/** Keeps the bytes; `onEvent` is called for each thing that happens. */
class Client extends RecordingSink {
  readonly chunks: Buffer[] = [];
  untaken = 0;
  takesAtOnce = false;
  #wake: () => void = () => {};

  override write(exchange: Exchange, chunk: Buffer): void {
    this.chunks.push(Buffer.from(chunk));
    if (this.takesAtOnce) exchange.onSent!(chunk.length);
    if (this.takesAtOnce) assert.equal(exchange.state, "streaming", "not ended in the midst of a write");
    else this.untaken += chunk.length;
    this.#wake();
  }

  override end(exchange: Exchange): void {
    super.end(exchange, null);
    this.#wake();
  }

  override cut(exchange: Exchange): void {
    super.cut(exchange);
    this.#wake();
  }

  take(exchange: Exchange, bytes: number): void {
    this.untaken -= bytes;
    exchange.onSent!(bytes);
  }

  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise<void>((resolve) => (this.#wake = resolve));
  }

  get bytes(): Buffer {
    return Buffer.concat(this.chunks);
  }
}

function begin(client: Client, path: string, length = -1, start = 0): { exchange: Exchange; failures: string[] } {
  const exchange = sampleExchange("/", "GET", client);
  const failures: string[] = [];
  exchange.state = "given";
  exchange.start(200, "OK", length < 0 ? fieldsOf() : fieldsOf("Content-Length", String(length)));
  const named = { path: Buffer.from(path), name: path, start };
  const opened = (isOpen: boolean): void => {
    failures.push(...(isOpen ? [] : ["not open"]));
  };
  sendFile(exchange, named, opened, (reason) => failures.push(reason));
  return { exchange, failures };
}

/** Whether this process has the file open; asked again until it has not, as closing is a thread's work. */
async function closed(path: string): Promise<void> {
  const links = (): string[] =>
    readdirSync("/proc/self/fd").map((fd) => {
      try {
        return readlinkSync(`/proc/self/fd/${fd}`);
      } catch {
        return "";
      }
    });
  while (links().includes(path)) await new Promise((resolve) => setImmediate(resolve));
}

const random = Buffer.from(Array.from({ length: 700_001 }, (_, at) => (at * 7919) >> 5));

describe("a file", () => {
  for (const takesAtOnce of [true, false]) {
    test(`arrives whole, ${takesAtOnce ? "taken at once" : "taken in pieces of any size"}`, async () => {
      const client = new Client();
      client.takesAtOnce = takesAtOnce;
      const path = file(`whole ${takesAtOnce}`, random);
      const { exchange, failures } = begin(client, path, random.length);
      while (!takesAtOnce && exchange.state === "streaming") {
        await client.until(() => client.untaken > 0 || exchange.state === "done");
        assert.ok(client.untaken <= 524_288, "two pieces at most");
        while (client.untaken > 0) client.take(exchange, Math.min(client.untaken, 50_021));
      }
      await client.until(() => exchange.state === "done");
      assert.ok(client.bytes.equals(random));
      assert.deepEqual([client.events, failures], [["start / 200", "end /"], []]);
      await closed(path);
    });
  }

  test("without a Content-Length is sent as far as it goes, and not what is beyond its promise", async () => {
    for (const [start, length, expected] of [
      [0, -1, "0123456789"],
      [0, 4, "0123"],
      [0, 0, ""],
      [3, -1, "3456789"],
      [3, 2, "34"],
      [12, -1, ""],
    ] as const) {
      const client = new Client();
      client.takesAtOnce = true;
      const { exchange } = begin(client, file("ten", "0123456789"), length, start);
      await client.until(() => exchange.state === "done");
      assert.equal(client.bytes.toString(), expected);
    }
  });

  test("that shrinks cuts the response and says so", async () => {
    const shrinking = file("shrinking", random);
    const first = new Client();
    const { exchange, failures } = begin(first, shrinking, random.length);
    await first.until(() => first.untaken > 0);
    truncateSync(shrinking, 300_000);
    first.takesAtOnce = true;
    first.take(exchange, first.untaken);
    await first.until(() => exchange.state === "done");
    assert.deepEqual(first.events, ["start / 200", "cut /"]);
    assert.match(failures[0]!, /cannot send the file .*shrinking": the file ended \d+ bytes early/);
    await closed(shrinking);
  });

  test("that is none, or is not there, is told, and nothing else happens", async () => {
    const pipe = join(folder, "pipe");
    execFileSync("mkfifo", [pipe]);
    for (const path of [folder, pipe, join(folder, "nothing")]) {
      const client = new Client();
      const { exchange, failures } = begin(client, path, 5);
      while (failures.length === 0) await new Promise((resolve) => setImmediate(resolve));
      assert.deepEqual([client.events, failures, exchange.state], [["start / 200"], ["not open"], "streaming"]);
      await closed(path);
    }
  });
});

describe("an open file", () => {
  function send(client: Client, path: string, segments: Parameters<typeof sendSegments>[2]): Exchange {
    const exchange = sampleExchange("/", "GET", client);
    exchange.start(206, "", fieldsOf());
    sendSegments(exchange, openSync(path, "r"), segments, (reason) => assert.fail(reason));
    return exchange;
  }

  for (const givesBack of [true, false]) {
    test(`is sent in parts with text between them${givesBack ? ", through buffers that are used again" : ""}`, async () => {
      const path = file("parts", random);
      const client = new Client();
      client.takesAtOnce = true;
      Object.assign(client, { givesBack });
      const exchange = send(client, path, [
        "<",
        { start: 5, length: 300_000 },
        "|",
        { start: 0, length: 600_000 },
        ">",
      ]);
      await client.until(() => exchange.state === "done");
      const parts = [Buffer.from("<"), random.subarray(5, 300_005), Buffer.from("|"), random.subarray(0, 600_000)];
      assert.ok(client.bytes.equals(Buffer.concat([...parts, Buffer.from(">")])));
      await closed(path);
    });
  }

  test("of which many are sent at the same time keeps each one's bytes apart", async () => {
    const path = file("many", random);
    const clients = Array.from({ length: 20 }, () => Object.assign(new Client(), { givesBack: true }));
    const exchanges = clients.map((client, at) => send(client, path, [{ start: at, length: 690_000 }]));
    while (exchanges.some(({ state }) => state !== "done")) {
      for (const [at, client] of clients.entries())
        if (client.untaken > 0) client.take(exchanges[at]!, Math.min(client.untaken, 100_000));
      await new Promise((resolve) => setImmediate(resolve));
    }
    for (const [at, client] of clients.entries())
      assert.ok(client.bytes.equals(random.subarray(at, at + 690_000)), `client ${at}`);
    await closed(path);
  });

  test("is sent to the end to a client that has only said that it sends no more", async () => {
    const path = file("half", random);
    const client = new Client();
    const exchange = send(client, path, [{ start: 0, length: random.length }]);
    await client.until(() => client.untaken > 0);
    exchange.halfClose();
    client.takesAtOnce = true;
    client.take(exchange, client.untaken);
    await client.until(() => exchange.state === "done");
    assert.deepEqual(client.events, ["start / 206", "end /"]);
    await closed(path);
  });
});

describe("a client that leaves", () => {
  test("at any moment has its file closed, and nothing is told", async () => {
    const path = file("left", random);
    for (const moment of ["before", "opening", "waiting", "reading"]) {
      const client = new Client();
      const { exchange, failures } = begin(client, path, random.length);
      if (moment === "before") exchange.leave();
      if (moment === "opening") setImmediate(() => exchange.leave());
      if (moment === "waiting" || moment === "reading") {
        await client.until(() => client.untaken > 0);
        if (moment === "reading") client.take(exchange, client.untaken);
        exchange.leave();
      }
      if (exchange.state !== "done") await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
      const { length } = client.chunks;
      await closed(path);
      assert.deepEqual([failures, client.events, client.chunks.length], [[], ["start / 200"], length]);
    }
  });
});
