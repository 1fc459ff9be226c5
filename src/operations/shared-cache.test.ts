/** Two caches that tell each other what is no longer true, over a link that is played by the test. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { storedResponse } from "../cache/house.test.ts";
import type { PurgeWish } from "../cache/purge.ts";
import { ResponseCache } from "../cache/response-cache.ts";
import { FakeClock } from "../clock.test.ts";
import type { Message } from "../workers/json-lines.ts";
import { type OtherServer, shareCache } from "./shared-cache.ts";

const SHELF = "http://h";
const everything: PurgeWish = { paths: [], tags: [], isEverything: true, host: null, isSoft: false };

/** One end of a link: what is sent waits until the test delivers it. */
class End implements OtherServer {
  readonly sent: Message[] = [];
  onMessage: (message: Message) => void = () => {};
  end: () => void = () => {};
  readonly gone: Promise<void> = new Promise((resolve) => (this.end = resolve));

  send(message: Message): void {
    this.sent.push(JSON.parse(JSON.stringify(message)) as Message);
  }
}

class Pair {
  readonly clock: FakeClock = new FakeClock();
  readonly caches: readonly [ResponseCache, ResponseCache] = [this.#cache(), this.#cache()];
  /** `ends[0]` is what the first one sends to. */
  readonly ends: readonly [End, End] = [new End(), new End()];

  constructor() {
    shareCache(this.caches[0], this.ends[0], this.clock);
    shareCache(this.caches[1], this.ends[1], this.clock);
  }

  deliver(): void {
    const [first, second] = this.ends;
    while (first.sent.length + second.sent.length > 0) {
      for (const message of first.sent.splice(0)) second.onMessage(message);
      for (const message of second.sent.splice(0)) first.onMessage(message);
    }
  }

  keep(at: 0 | 1, target: string): void {
    this.caches[at].keep(SHELF, target, storedResponse({ body: target, tags: [target.slice(1)] }));
  }

  has(at: 0 | 1, target: string): boolean {
    return this.caches[at].store.resource(SHELF, target) !== undefined;
  }

  #cache(): ResponseCache {
    const cache = new ResponseCache(1_000_000, this.clock, null);
    cache.isUsed = true;
    return cache;
  }
}

test("a purge at either is obeyed by both before it is answered, and counts what was in either", async () => {
  for (const at of [0, 1] as const) {
    const pair = new Pair();
    pair.keep(0, "/a");
    pair.keep(0, "/b");
    pair.keep(1, "/a");
    let count: number | string | null = null;
    const purged = pair.caches[at]
      .obey({ ...everything, isEverything: false, paths: ["/a"] })
      .then((is) => (count = is));
    await Promise.resolve();
    assert.equal(count, null);
    pair.deliver();
    await purged;
    assert.equal(count, 1);
    assert.deepEqual([pair.has(0, "/a"), pair.has(1, "/a"), pair.has(0, "/b")], [false, false, true]);
  }
});

test("what a request makes untrue in one is untrue in the other", () => {
  const pair = new Pair();
  pair.keep(0, "/a");
  pair.keep(1, "/a");
  pair.caches[1].invalidate(SHELF, "/a");
  pair.deliver();
  assert.deepEqual([pair.has(0, "/a"), pair.has(1, "/a")], [false, false]);
});

test("three in a row, as while one upgrade follows another: the word goes on, and comes not back", async () => {
  const pair = new Pair();
  const third = new Pair();
  shareCache(pair.caches[1], third.ends[0], pair.clock);
  third.keep(1, "/a");
  const purged = pair.caches[0].purge(everything);
  pair.deliver();
  third.deliver();
  pair.deliver();
  assert.equal(await purged, 0);
  assert.equal(third.has(1, "/a"), false);
});

test("one that does not answer delays a purge by a second; one that is gone not at all", async () => {
  const pair = new Pair();
  const slow = pair.caches[0].purge(everything);
  pair.clock.advance(1000);
  assert.equal(await slow, 0);
  const left = pair.caches[0].purge(everything);
  pair.ends[0].end();
  assert.equal(await left, 0);
  await pair.caches[0].purge(everything);
  assert.equal(pair.ends[0].sent.length, 2, "nothing is told to nobody");
});

test("what waits for one that does not answer is bounded, and nothing is forgotten by that", () => {
  const pair = new Pair();
  for (let i = 0; i < 30_000; i++) pair.caches[0].invalidate(SHELF, `/${i}`);
  assert.equal(pair.ends[0].sent.length, 10_001);
  pair.keep(1, "/a");
  pair.deliver();
  assert.equal(pair.has(1, "/a"), false);
  assert.equal(pair.ends[0].sent.length, 0);
  pair.keep(1, "/b");
  pair.caches[0].invalidate(SHELF, "/c");
  pair.deliver();
  assert.equal(pair.has(1, "/b"), true, "and all is as before");
});

test("what is no word of ours is answered, and does nothing", () => {
  const pair = new Pair();
  pair.keep(0, "/a");
  for (const untruth of [null, 7, {}, { type: "target", base: 1 }, { type: "purge", wish: { paths: ["x"] } }])
    pair.ends[0].onMessage({ type: "untrue", id: 1, untruth });
  pair.ends[0].onMessage({ type: "obeyed", id: "x" });
  pair.ends[0].onMessage({ type: "news" });
  assert.equal(pair.has(0, "/a"), true);
  assert.equal(pair.ends[0].sent.length, 5);
});
