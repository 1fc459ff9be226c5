/** Folders on the command line. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { house, planned, read } from "./invented-host.test.ts";

const host = {
  ...house,
  isDirectory: (path: string): boolean => ["/srv/site", "/srv/site/build", "/srv/files"].includes(path),
  isFile: (path: string): boolean => path === "/srv/site/robots.txt",
};

function mistakes(line: string): readonly string[] {
  const result = read(line, {}, host);
  return result.type === "mistakes" ? result.mistakes : [];
}

test("--static is a route of the default site, seen from the working folder", () => {
  const { plan } = planned("--static /static/=build --static /robots.txt$=robots.txt app:app", {}, host);
  const routes = plan.sites[0]!.routes.map(({ name, match, destination }) => {
    assert.ok(destination.type === "static");
    return [name, match.pattern.literal, destination.root, destination.prefix, destination.file];
  });
  assert.deepEqual(routes, [
    ["/static/ (--static)", "/static", "/srv/site/build", "/static", null],
    ["/robots.txt$ (--static)", "/robots.txt", "/srv/site", "", "robots.txt"],
  ]);
  assert.equal(plan.files.isAuto, false);
});

test("--static auto names no folder", () => {
  const { plan } = planned("--static auto app:app", {}, host);
  assert.deepEqual([plan.files.isAuto, plan.sites], [true, []]);
});

test("--accel and --sendfile-root are absolute", () => {
  const { plan } = planned("--accel /p/=files --accel /q=/srv/q --sendfile-root media app:app", {}, host);
  assert.deepEqual(plan.files.accel, [
    { prefix: "/p", root: "/srv/site/files" },
    { prefix: "/q", root: "/srv/q" },
  ]);
  assert.deepEqual(plan.files.sendfileRoots, ["/srv/site/media"]);
});

for (const [line, why] of [
  ["--static build app:app", /--static build is neither \/PATH=FOLDER nor auto/],
  ["--static static=build app:app", /does not begin with a slash/],
  ["--static /static= app:app", /names no folder behind the =/],
  ["--static /static=nowhere app:app", /there is no folder \/srv\/site\/nowhere to serve/],
  ["--accel protected=/srv app:app", /is no path that can stand for a folder/],
  ["--accel /protected app:app", /is not \/PATH=FOLDER/],
] as const)
  test(`${line} is a mistake`, () => assert.match(mistakes(line).join("\n"), why));
