/** The help text holds the whole table in 100 columns. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { settings } from "../config/settings/table.ts";
import { usageText, versionText } from "./usage.ts";

test("help fits 100 columns and has no blanks at line ends", () => {
  for (const line of usageText().split("\n")) {
    assert.ok(line.length <= 100, line);
    assert.ok(!line.endsWith(" "), line);
  }
});

test("help names every flag and variable", () => {
  const text = usageText();
  for (const setting of settings) {
    for (const name of [...setting.flags, ...setting.offFlags, ...setting.env]) assert.ok(text.includes(name), name);
  }
});

test("help starts in one column", () => {
  const lines = usageText()
    .split("\n")
    .filter((line) => /^ {2,6}-/.test(line));
  for (const line of lines) {
    const help = /^(.*?\S) {2,}(\S.*)$/.exec(line.slice(6));
    if (help !== null) assert.equal(line.indexOf(help[2] ?? ""), 36, line);
  }
});

test("the version names Node too", () =>
  assert.equal(versionText("1.2.3", "v24.0.0"), "maitred 1.2.3 (Node v24.0.0)\n"));
