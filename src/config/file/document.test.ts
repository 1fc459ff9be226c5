/** The documents say what the code does: their keys are those of the schema, and every example in them is a configuration. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { house } from "../invented-host.test.ts";
import { readPlan } from "../read-plan.ts";
import { configurationDocument } from "./document.ts";
import { configurationSchema, type JsonSchema } from "./json-schema.ts";
import { readConfiguration } from "./read-configuration.ts";

const docs = new URL("../../../docs/", import.meta.url);
const read = (name: string): string => readFileSync(new URL(name, docs), "utf8");

test("docs/configuration.md is up to date (run scripts/generate-docs)", () => {
  const committed = read("configuration.md");
  assert.equal(committed, configurationDocument(committed));
});

test("every key of the file has a description", () => {
  const bare: string[] = [];
  const look = (schema: JsonSchema, path: string): void => {
    for (const [key, one] of Object.entries(schema.properties ?? {})) {
      if ((one.description ?? "") === "") bare.push(`${path}${key}`);
      look(one, `${path}${key}.`);
    }
    for (const one of schema.anyOf ?? []) look(one, path);
    if (schema.items !== undefined) look(schema.items, path);
    if (typeof schema.additionalProperties === "object") look(schema.additionalProperties, path);
  };
  look(configurationSchema(), "");
  assert.deepEqual(bare, []);
});

/** Whatever the examples name is there: with an extension it is a file. */
const isFile = (path: string): boolean => /\.\w+$|\/htpasswd$/.test(path);
const host = { ...house, isFile, isDirectory: (path: string) => !isFile(path) };
for (const name of readdirSync(docs).filter((one) => one.endsWith(".md"))) {
  const text = read(name);
  for (const { 1: example = "", index } of text.matchAll(/^```toml\n([^]*?)^```$/gm)) {
    const line = text.slice(0, index).split("\n").length + 1;
    // Of other tools' files.
    if (!/^\[tool\.maitred|^\w[\w-]* = |^\[\[?(?:route|site|pools)/m.test(example)) continue;
    test(`the example in docs/${name}, line ${line}, is a configuration`, () => {
      const isProject = example.includes("[tool.maitred");
      const file = readConfiguration(example, name, `/${name}`, isProject ? ["tool", "maitred"] : []);
      assert.ok(file !== null);
      const result = readPlan(["example:app"], {}, host, file);
      assert.equal(result.type, "plan", result.type === "mistakes" ? result.mistakes.join("\n") : "");
    });
  }
}
