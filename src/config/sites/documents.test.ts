/** What the documents show as configuration is one. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { suite, test } from "node:test";
import { readConfiguration } from "../file/read-configuration.ts";

const DOCUMENTS = join(import.meta.dirname, "../../../docs");

suite("examples in the documents", () => {
  const text = readFileSync(join(DOCUMENTS, "protection.md"), "utf8");
  for (const [at, [, block = ""]] of [...text.matchAll(/^```toml\n(.*?)^```$/gms)].entries()) {
    test(`protection.md, number ${at + 1}`, () => {
      const read = readConfiguration(block, "maitred.toml", "/maitred.toml");
      assert.deepEqual(read?.mistakes, []);
      assert.notEqual(read?.content, null);
    });
  }
});
