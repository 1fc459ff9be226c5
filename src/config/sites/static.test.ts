/** `static`, `accel` and `sendfile-roots` as the configuration file says them. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { z } from "zod";
import { issuesOf } from "../file/issues.ts";
import { staticDefaults } from "../static-plan.ts";
import { accelSettings, sendfileSettings } from "./named-files.ts";
import { staticSettings } from "./static.ts";

function mistakes(schema: z.ZodType, raw: unknown): string[] {
  const parsed = schema.safeParse(raw);
  return parsed.success ? [] : issuesOf(parsed.error, raw).map(({ text }) => text);
}

describe("static", () => {
  test("is a folder, or a table", () => {
    const plain = { ...staticDefaults, root: "build", prefix: "" };
    assert.deepEqual(staticSettings.parse("build"), plain);
    assert.deepEqual(staticSettings.parse({ root: "build" }), plain);
    assert.deepEqual(
      staticSettings.parse({
        root: "dist",
        index: ["/index.html", "home.htm"],
        fallback: "/app/index.html",
        otherwise: "main",
        listing: true,
        precompressed: false,
        "max-age": "1h",
        immutable: ["^assets/"],
        dotfiles: true,
        "outside-links": true,
        charset: "",
        types: { ".DAT": "application/x-dat" },
      }),
      {
        root: "dist",
        prefix: "",
        file: null,
        index: ["index.html", "home.htm"],
        fallback: "app/index.html",
        pool: "main",
        listing: true,
        precompressed: false,
        maxAgeMs: 3_600_000,
        immutable: ["^assets/"],
        dotfiles: true,
        outsideLinks: true,
        charset: "",
        types: { dat: "application/x-dat" },
      },
    );
    const said = (more: object): unknown => staticSettings.parse({ root: "a", ...more });
    assert.equal((said({ "max-age": false }) as { maxAgeMs: null }).maxAgeMs, null);
    assert.equal((said({ immutable: true }) as { immutable: string }).immutable, "all");
    assert.equal((said({ immutable: false }) as { immutable: string }).immutable, "none");
  });

  for (const [key, value, why] of [
    ["index", ["../x"], /is no file of the folder/],
    ["fallback", "", /is no file of the folder/],
    ["max-age", "soon", /is not a time span/],
    ["immutable", ["("], /is no regular expression/],
    ["charset", "a b", /is no name of a character encoding/],
    ["types", { dat: "text/plain" }, /is no extension/],
    ["types", { ".dat": "text" }, /is no media type/],
    ["types", { ".dat": "text/plain\r\nX: y" }, /is no media type/],
    ["nonsense", 1, /nonsense/],
  ] as const)
    test(`${key} = ${JSON.stringify(value)} is a mistake`, () => {
      const found = mistakes(staticSettings, { root: "a", [key]: value });
      assert.ok(
        found.some((text) => why.test(text)),
        JSON.stringify(found),
      );
    });

  test("has a root", () => {
    assert.equal(mistakes(staticSettings, {}).length, 1);
    assert.equal(mistakes(staticSettings, "").length, 1);
  });
});

describe("folders that the app names files of", () => {
  test("have paths that stand for them", () => {
    assert.deepEqual(accelSettings.parse({ "/protected/": "/srv/a", "/b/c": "d" }), [
      { prefix: "/protected", root: "/srv/a" },
      { prefix: "/b/c", root: "d" },
    ]);
    for (const prefix of ["protected", "/", "/a?b", "/a*", "/a b", "/%41"])
      assert.match(
        mistakes(accelSettings, { [prefix]: "/srv" }).join(),
        /is no path that can stand for a folder/,
        prefix,
      );
  });

  test("are folders", () => {
    assert.deepEqual(sendfileSettings.parse(["/srv", "files"]), ["/srv", "files"]);
    assert.equal(mistakes(sendfileSettings, [""]).length, 1);
  });
});
