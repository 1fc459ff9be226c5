/** What every example that is made with a framework promises, whatever serves it. */
import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { test } from "node:test";

import type { Browser } from "./browser.ts";
import type { Maitred } from "./maitred.ts";

/** @param place asked when the tests run: who serves, and who asks. */
export function frameworkPromises(place: () => { readonly server: Maitred; readonly browser: Browser }): void {
  for (const size of [0, 1_000, 3_000_000]) {
    test(`an upload of ${size} bytes arrives whole`, async () => {
      const bytes = randomBytes(size);
      const page = await place().browser.upload("/upload", {}, { field: "file", name: "data.bin", bytes });
      assert.deepEqual(JSON.parse(page.text), {
        name: "data.bin",
        size,
        sha256: createHash("sha256").update(bytes).digest("hex"),
      });
    });
  }

  test("an exception is a 500 that tells nothing, and its traceback is in the log", async () => {
    const { server, browser } = place();
    const page = await browser.get("/error");
    assert.equal(page.status, 500);
    assert.doesNotMatch(page.text, /on purpose/);
    await server.waitForLine(/RuntimeError: an error on purpose/);
  });
}
