/** --compress, from command lines to Plans and mistakes. */
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { codings, type CompressionPlan, DEFAULT_COMPRESSION } from "./compression.ts";
import { readConfiguration } from "./file/read-configuration.ts";
import type { HostFacts } from "./host-facts.ts";
import type { Plan } from "./plan.ts";
import { readPlan } from "./read-plan.ts";
import { shellWords } from "./shell-words.ts";

const house: HostFacts = {
  cwd: "/srv/site",
  pid: 1,
  platform: "linux",
  affinityCpus: 4,
  cgroupQuotaCpus: null,
  findPython: () => ({ path: "/usr/bin/python3" }),
  isDirectory: () => true,
  isFile: () => false,
  trouble: () => null,
  textOf: () => null,
};

function read(line: string): ReturnType<typeof readPlan> {
  const words = shellWords(line);
  return readPlan(words.type === "value" ? words.value : assert.fail(line), {}, house);
}

function plan(line: string): Plan {
  const result = read(line);
  return result.type === "plan" ? result.plan : assert.fail(JSON.stringify(result));
}

test("--compress stands alone or names codings in their order", () => {
  assert.equal(plan("app:app").compression, null);
  assert.equal(plan("--compress=off app:app").compression, null);
  assert.deepEqual(plan("--compress app:app").compression, DEFAULT_COMPRESSION);
  assert.equal(plan("--compress app:app").app, "app:app");
  assert.deepEqual(plan("--compress gzip,br app:app").compression?.codings, ["gzip", "br"]);
  assert.deepEqual(plan("--compress=BR app:app").compression?.codings, ["br"]);
  assert.deepEqual(plan("--compression on app:app").compression, DEFAULT_COMPRESSION);
});

test("what is no coding is told", () => {
  const result = read("--compress=gzip,deflate app:app");
  assert.equal(result.type, "mistakes");
  assert.match(JSON.stringify(result), /deflate.*zstd, br, gzip/);
  assert.deepEqual(codings(","), { type: "wrong", why: "names no coding: give some of zstd, br, gzip" });
  assert.deepEqual(codings("gzip, gzip"), { type: "value", value: ["gzip"] });
});

suite("compression in the configuration file", () => {
  const of = (text: string): { top: unknown; route: unknown; plan: unknown; mistakes: readonly string[] } => {
    const configuration = readConfiguration(text, "maitred.toml", "/srv/maitred.toml");
    const result = readPlan(["app:app"], {}, house, configuration);
    if (result.type !== "plan") return { top: null, route: null, plan: null, mistakes: [JSON.stringify(result)] };
    const [site] = result.plan.sites;
    return {
      top: site?.settings.compression,
      route: site?.routes[0]?.settings.compression,
      plan: result.plan.compression,
      mistakes: [],
    };
  };

  test("is a switch, a list or a table, at the top and in routes", () => {
    assert.deepEqual(of("compression = true").plan, DEFAULT_COMPRESSION);
    assert.deepEqual(of('compression = ["br", "gzip"]').plan, { ...DEFAULT_COMPRESSION, codings: ["br", "gzip"] });
    assert.deepEqual(of('compression = { min-size = "2k", breach = "skip", levels = { gzip = 9 } }').top, {
      ...DEFAULT_COMPRESSION,
      minBytes: 2048,
      breach: "skip",
      levels: { zstd: 3, br: 4, gzip: 9 },
    });
    assert.equal(of('compression = true\n[[route]]\npath = "/raw"\ncompression = false').route, "off");
    assert.deepEqual(of('[[route]]\npath = "/a"\ncompression = true').route, DEFAULT_COMPRESSION);
    assert.deepEqual(of('[[route]]\npath = "/a"\ncompression = ["gzip"]').route, {
      ...DEFAULT_COMPRESSION,
      codings: ["gzip"],
    });
    const types = (of('compression = { types = ["text/CSS"], more-types = ["image/*"] }').top as CompressionPlan).types;
    assert.deepEqual(types, ["text/css", "image/*"]);
    const more = (of('compression = { more-types = ["text/event-stream"] }').top as CompressionPlan).types;
    assert.deepEqual(more, [...DEFAULT_COMPRESSION.types, "text/event-stream"]);
  });

  test("tells what is wrong with it", () => {
    for (const [text, wanted] of [
      ['compression = { codings = ["deflate"] }', /deflate/],
      ["compression = { levels = { gzip = 10 } }", /10/],
      ['compression = { types = ["text"] }', /is no media type/],
      ['compression = { types = ["*/*"] }', /is no media type/],
      ["compression = { minsize = 1 }", /minsize.*min-size|min-size/],
      ['compression = { breach = "on" }', /pad/],
      ['compression = "lzma"', /lzma/],
    ] as const)
      assert.match(of(text).mistakes.join(), wanted, text);
  });
});
