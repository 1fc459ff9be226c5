/** The table is complete and free of contradictions; so is its neighbour, the table of foreign flags. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { foreignFlags } from "../foreign-flags.ts";
import { sections, settings } from "./table.ts";

function repeatedOf(names: readonly string[]): readonly string[] {
  return names.filter((name, at) => names.indexOf(name) < at);
}

test("no flag stands twice, among settings and foreign flags together", () => {
  const flags = [
    ...settings.flatMap((setting) => [...setting.flags, ...setting.offFlags]),
    ...foreignFlags.flatMap((row) => row.flags),
  ];
  assert.deepEqual(repeatedOf(flags), []);
  for (const flag of flags) assert.match(flag, /^(-[a-zA-Z]|--[a-z][a-z0-9_-]+)$/);
});

test("no environment variable stands twice", () => {
  const names = [...settings.flatMap((setting) => setting.env), ...foreignFlags.flatMap((row) => row.env)];
  assert.deepEqual(repeatedOf(names), []);
});

test("no key stands twice, and each is one of the setting's long flags", () => {
  assert.deepEqual(repeatedOf(settings.map((setting) => setting.key)), []);
  for (const setting of settings) assert.ok(setting.flags.includes(`--${setting.key}`), setting.key);
});

test("every setting has one line of help that is no sentence's end, and long words only where they add something", () => {
  for (const { key, help, doc } of settings) {
    assert.ok(help.length > 10 && help.length <= 110 && !help.includes("\n"), `${key}: ${help.length}`);
    assert.match(help, /^[A-Z].*[^.;,]$/, key);
    assert.notEqual(help, doc, key);
  }
});

test("a setting's default, where it is a value, reads back as itself", () => {
  for (const setting of settings) {
    if (
      setting.metavar === null ||
      setting.fallback === null ||
      typeof setting.fallback === "object" ||
      setting.fallback === ""
    )
      continue;
    const text = setting.fallbackText.split(" ")[0] ?? "";
    const parsed = setting.read([typeof setting.fallback === "string" ? setting.fallback : text]);
    assert.deepEqual(parsed, { type: "value", value: setting.fallback }, setting.key);
  }
});

test("every setting that takes a value refuses some text, or is known to take any", () => {
  for (const setting of settings) {
    if (["pythonpath"].includes(setting.key)) continue;
    assert.equal(setting.read([""]).type === "wrong" || setting.key === "root-path", true, setting.key);
  }
});

test("every row of uvicorn's environment carries the name of one of its flags", () => {
  for (const setting of settings) {
    for (const name of setting.env.filter((name) => name.startsWith("UVICORN_"))) {
      const flag = `--${name.slice("UVICORN_".length).toLowerCase().replaceAll("_", "-")}`;
      // What stands several times has its plural there: --reload-dir, UVICORN_RELOAD_DIRS.
      assert.ok(
        setting.flags.includes(flag) || setting.flags.includes(flag.replace(/s$/, "")),
        `${setting.key}: ${name} without ${flag}`,
      );
    }
  }
});

test("every section has a title and settings", () => {
  for (const section of sections) assert.ok(section.title !== "" && section.settings.length > 0);
});

test("every foreign flag says why", () => {
  for (const row of foreignFlags) {
    assert.ok(row.why.length > 15 && !row.why.endsWith("."), row.flags.join());
    assert.ok(row.flags.length + row.env.length > 0);
  }
});
