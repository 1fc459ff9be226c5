/** Whatever stands in a configuration file, the answer is a Plan or mistakes with their lines, never an exception. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { house } from "../invented-host.test.ts";
import { readPlan } from "../read-plan.ts";
import { configurationSchema } from "./json-schema.ts";
import { readConfiguration } from "./read-configuration.ts";
import { tomlText } from "./toml-text.ts";
import type { TomlValue } from "./toml.ts";

function answers(text: string): void {
  const file = readConfiguration(text, "maitred.toml", "/srv/site/maitred.toml");
  assert.ok(file !== null);
  const lines = text.split("\n").length;
  const result = readPlan([], {}, house, file);
  if (result.type === "plan") return;
  assert.equal(result.type, "mistakes");
  assert.ok(result.type === "mistakes" && result.mistakes.length > 0);
  for (const mistake of file.mistakes) {
    const line = Number(/^maitred\.toml:(\d+): ./.exec(mistake)?.[1]);
    assert.ok(line >= 1 && line <= lines, mistake);
  }
}

const sample = `app = "project.wsgi:application"
workers = 4
timeout = "30s"
env = { A = "1" }
bind = ["127.0.0.1:8000", ":80"]

[[route]]
path = ["/static", "/media/*.png$"]
match = { methods = ["GET"], headers = { X-A = true } }
redirect = { to = "https://example.com{path}", status = 308, keep-path = true }

[pools.reports]
workers = "2:4"
mount = "/r"

[[site]]
hosts = ["a.example", "*.b.example"]
compression = true
limits = [{ rate = "10/s", burst = 5 }]

[[site.route]]
path = "/r"
pool = "reports"
limit-request-body = "1m"
`;

test("texts that are nearly a configuration", () => {
  const damage = fc.record({
    at: fc.nat(sample.length - 1),
    remove: fc.nat(12),
    insert: fc.oneof(
      fc.string({ maxLength: 6 }),
      fc.constantFrom("[", "]", "=", "\n", '"', "{ ", "[[route]]\n", "1e9", "''"),
    ),
  });
  fc.assert(
    fc.property(fc.array(damage, { minLength: 1, maxLength: 4 }), (damages) => {
      let text = sample;
      for (const { at, remove, insert } of damages) text = text.slice(0, at) + insert + text.slice(at + remove);
      answers(text);
    }),
    { numRuns: 300 },
  );
});

test("known keys with any values", () => {
  const keys = (path: readonly string[]): string[] => {
    let schema = configurationSchema();
    for (const key of path) schema = schema.properties?.[key]?.items ?? {};
    return Object.keys(schema.properties ?? {});
  };
  const value: fc.Arbitrary<TomlValue> = fc.letrec<{ value: TomlValue }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 3 },
      fc.string({ maxLength: 8 }),
      fc.constantFrom("/", "/a", "a:b", "1m", "10/s", "GET", "on", "https://a.example"),
      fc.integer(),
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc.boolean(),
      fc.array(tie("value"), { maxLength: 3 }),
      fc.dictionary(fc.constantFrom("to", "status", "root", "url", "path", "rate", "set", "x y"), tie("value"), {
        maxKeys: 3,
      }),
    ),
  })).value;
  const table = (names: readonly string[]): fc.Arbitrary<Record<string, TomlValue>> =>
    fc.dictionary(fc.constantFrom(...names), value, { maxKeys: 5 });
  const [top, route, site] = [keys([]), keys(["route"]), keys(["site"])].map((names) =>
    names.filter((name) => name !== "route" && name !== "site" && name !== "pools"),
  );
  fc.assert(
    fc.property(table(top!), table(route!), table(site!), (settings, routed, sited) => {
      const lines = (one: Record<string, TomlValue>): string =>
        Object.entries(one)
          // TOML 1.0 writes no exponent without a fraction as JavaScript does.
          .map(([key, value]) => `${key} = ${tomlText(value)}`)
          .join("\n");
      answers(
        `${lines(settings)}\n[[route]]\n${lines(routed)}\n[[site]]\n${lines(sited)}\n[[site.route]]\n${lines(routed)}\n`,
      );
    }),
    { numRuns: 300 },
  );
});
