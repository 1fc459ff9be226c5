/** The committed documents equal what the table says. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { settingsDocument } from "./document.ts";
import { settings } from "./settings/table.ts";

test("docs/settings.md is up to date (run scripts/generate-docs)", () => {
  const committed = readFileSync(new URL("../../docs/settings.md", import.meta.url), "utf8");
  assert.equal(committed, settingsDocument());
});

test("the document names every flag and variable", () => {
  const document = settingsDocument();
  for (const setting of settings) {
    for (const name of [...setting.flags, ...setting.offFlags, ...setting.env])
      assert.ok(document.includes(`\`${name}`), name);
  }
});
