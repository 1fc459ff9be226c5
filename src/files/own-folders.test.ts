/** What `--static auto` makes of Django's settings; nothing is served here. */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import type { Log } from "../telemetry/log.ts";
import { OwnFolders } from "./own-folders.ts";

const base = mkdtempSync(join(tmpdir(), "maitred-own-"));
after(() => rmSync(base, { recursive: true }));
const root = join(base, "collected");

function logged(): { lines: string[]; log: Log } {
  const lines: string[] = [];
  const add = (line: string): void => void lines.push(line);
  return { lines, log: { debug: add, info: add, warning: add, error: add, critical: add } };
}

test("folders are served once there is something in them, and told once", () => {
  const { lines, log } = logged();
  const own = new OwnFolders(log);
  const folders = [{ setting: "STATIC_ROOT", url: "/static/", root }];
  assert.equal(own.learn(folders, true), false);
  assert.deepEqual(own.added([]), []);
  assert.match(lines.join("\n"), /nothing is in .*collected .*run python manage\.py collectstatic/);
  mkdirSync(root);
  writeFileSync(join(root, "a.css"), "");
  assert.equal(own.learn(folders, true), true);
  assert.equal(own.learn(folders, true), false, "the next worker tells the same");
  const [site] = own.added([]);
  const [route] = site!.routes;
  assert.deepEqual([route!.match.pattern.literal, route!.destination.type], ["/static", "static"]);
  assert.equal(lines.length, 2);
  assert.equal(own.learn(folders, false), true, "auto was taken back by a reload");
  assert.deepEqual(own.added([]), []);
});

test("what has a route keeps it; media need not be there yet, and are nobody's pages", () => {
  const own = new OwnFolders(logged().log);
  own.learn([{ setting: "MEDIA_ROOT", url: "/m%C3%A9dia/", root: join(base, "uploads") }], true);
  const [site] = own.added([]);
  const destination = site!.routes[0]!.destination;
  assert.ok(destination.type === "static");
  assert.deepEqual([destination.prefix, destination.index, destination.immutable], ["/m\u00e9dia", [], "none"]);
  assert.equal(own.added([site!])[0]!.routes.length, 1);
});

test("without auto the log says what it would do, and of what is not set nothing", () => {
  const { lines, log } = logged();
  const own = new OwnFolders(log);
  const folders = [
    { setting: "STATIC_ROOT", url: "/static/", root: "/srv/static" },
    { setting: "MEDIA_ROOT", url: "/media/", root: null },
  ];
  assert.equal(own.learn(folders, false), false);
  assert.equal(own.learn(folders, false), false);
  assert.deepEqual(lines, [
    "The app serves /static/ itself; --static auto would serve it from /srv/static (STATIC_ROOT)",
  ]);
});

test("a URL that is no pattern is left to the app, with a word", () => {
  const { lines, log } = logged();
  const own = new OwnFolders(log);
  own.learn([{ setting: "STATIC_ROOT", url: "/a b/", root: base }], true);
  assert.deepEqual(own.added([]), []);
  assert.match(lines[0]!, /it is not served/);
});
