/** The store: its budget, what it gives up (SIEVE), and what stands where. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { storedResponse } from "./house.test.ts";
import { MOST_VARIANTS } from "./shelf.ts";
import { Store } from "./store.ts";

const SHELF = "http://x";

test("the bytes never go beyond the limit, whatever comes, is used and goes; the count is what can be found", () => {
  const step = fc.record({
    target: fc.nat(20).map((n) => `/${n}`),
    size: fc.nat(3000),
    act: fc.constantFrom("add", "add", "add", "use", "remove"),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const store = new Store(20_000);
      for (const { target, size, act } of steps) {
        const present = store.resource(SHELF, target)?.single ?? null;
        if (act === "add") store.add(SHELF, target, storedResponse({ body: "x".repeat(size) }));
        else if (present !== null && act === "use") present.isVisited = true;
        else if (present !== null) store.remove(present);
        let found = 0;
        let bytes = 0;
        store.forEach((one) => {
          found++;
          bytes += one.countedBytes;
          assert.equal(store.resource(SHELF, one.resource!.target)?.single, one);
        });
        assert.deepEqual([found, bytes], [store.counts.responses, store.counts.bytes]);
        assert.ok(bytes <= 20_000);
      }
    }),
  );
});

test("what is used stays while a crawler asks for everything once", () => {
  const store = new Store(60_000);
  for (let i = 0; i < 5; i++) store.add(SHELF, `/hot${i}`, storedResponse({ body: "x".repeat(4000) }));
  for (let i = 0; i < 500; i++) {
    for (let hot = 0; hot < 5; hot++) store.resource(SHELF, `/hot${hot}`)!.single!.isVisited = true;
    store.add(SHELF, `/once${i}`, storedResponse({ body: "x".repeat(4000) }));
  }
  for (let i = 0; i < 5; i++) assert.ok(store.resource(SHELF, `/hot${i}`), `hot ${i}`);
});

test("what is larger than all there is room for is not kept, and takes the place of nothing", () => {
  const store = new Store(10_000);
  store.add(SHELF, "/a", storedResponse({ body: "a" }));
  assert.equal(store.add(SHELF, "/b", storedResponse({ body: "x".repeat(10_000) })), false);
  assert.ok(store.resource(SHELF, "/a"));
});

test("a newer form takes the place of the older, variants stand side by side up to their number", () => {
  const store = new Store(10_000_000);
  const first = storedResponse({ body: "1" });
  store.add(SHELF, "/a", first);
  store.add(SHELF, "/a", storedResponse({ body: "2" }));
  assert.equal(store.resource(SHELF, "/a")?.single?.body, "2");
  assert.ok(first.isRevoked);
  for (let i = 0; i < MOST_VARIANTS + 5; i++)
    store.add(SHELF, "/v", storedResponse({ vary: ["accept"], variantKey: `=${i}` }));
  assert.equal(store.resource(SHELF, "/v")?.variants.length, MOST_VARIANTS);
  assert.equal(store.resource(SHELF, "/v")?.single, null);
  assert.equal(store.removeTarget(SHELF, "/v"), MOST_VARIANTS);
  assert.equal(store.resource(SHELF, "/v"), undefined);
});

test("a target is removed whatever cookies its key has, and only on its own host; an empty shelf is gone", () => {
  const store = new Store(1_000_000);
  for (const shelf of [SHELF, `${SHELF}\nlang=de`, "http://y"]) store.add(shelf, "/a", storedResponse({}));
  const shelf = store.shelf(SHELF)!;
  assert.equal(store.removeTarget(SHELF, "/a"), 2);
  assert.ok(store.resource("http://y", "/a"));
  assert.ok(shelf.isGone);
  assert.equal(store.shelf(SHELF), undefined);
});
