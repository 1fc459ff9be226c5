/** Which names are kept for ever: real ones of bundlers, and names that people give. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { hashedNames } from "./hashed-names.ts";

const auto = hashedNames("auto", false);
const built = hashedNames("auto", true);

for (const name of [
  "css/base.5f2d3c4b5a69.css",
  "app.8a6bb7d1.js",
  "main.0a1b2c3d4e5f60718293.js.map",
  "a-deadbeef01.woff2",
])
  test(`${name} has a hash`, () => assert.ok(auto(name) && built(name)));

for (const name of ["assets/index-DiwrgTda.js", "assets/logo-B_xK-0aZ.svg", "assets/index-BkT4x_Qp.js.map"])
  test(`${name} has one where a bundler has been`, () => assert.deepEqual([auto(name), built(name)], [false, true]));

for (const name of [
  "style.css",
  "jquery-3.7.1.min.js",
  "report.20240131.pdf",
  "backup-202401311259.zip",
  "my-template.html",
  "photo-20240101.jpg",
  "assets/site-template.css",
  "assets/photo-20240101.jpg",
  "assets/team-Holidays.jpg",
  "assets/DiwrgTda.js",
  "x.decade.txt",
  "facade.defaced.txt",
  "",
])
  test(`${JSON.stringify(name)} has none`, () => assert.deepEqual([auto(name), built(name)], [false, false]));

test("the operator's word goes first", () => {
  assert.ok(hashedNames("all", false)("a"));
  assert.ok(!hashedNames("none", true)("base.5f2d3c4b5a69.css"));
  assert.deepEqual(["v1/a.js", "v2/a.js"].map(hashedNames(["^v1/"], true)), [true, false]);
});
