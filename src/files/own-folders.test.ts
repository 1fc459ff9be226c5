/** What `--static auto` makes of Django's settings; nothing is served here. */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, suite, test } from "node:test";
import { NO_SETTINGS, type RoutePlan, type RouteSettings } from "../config/sites/route.ts";
import type { SitePlan } from "../config/sites/site.ts";
import { parsePattern } from "../http/path-pattern.ts";
import type { Log } from "../telemetry/log.ts";
import { type OwnFolder, OwnFolders } from "./own-folders.ts";

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
  assert.equal(own.learn("main", folders, true), false);
  assert.deepEqual(own.added({ sites: [], app: "a:a" }), []);
  assert.match(lines.join("\n"), /nothing is in .*collected .*run python manage\.py collectstatic/);
  mkdirSync(root);
  writeFileSync(join(root, "a.css"), "");
  assert.equal(own.learn("main", folders, true), true);
  assert.equal(own.learn("main", folders, true), false, "the next worker tells the same");
  const [site] = own.added({ sites: [], app: "a:a" });
  const [route] = site!.routes;
  assert.deepEqual([route!.match.pattern.literal, route!.destination.type], ["/static", "static"]);
  assert.equal(lines.length, 2);
  assert.equal(own.learn("main", folders, false), true, "auto was taken back by a reload");
  assert.deepEqual(own.added({ sites: [], app: "a:a" }), []);
});

test("what has a route keeps it; media need not be there yet, and are nobody's pages", () => {
  const own = new OwnFolders(logged().log);
  own.learn("main", [{ setting: "MEDIA_ROOT", url: "/m%C3%A9dia/", root: join(base, "uploads") }], true);
  const [site] = own.added({ sites: [], app: "a:a" });
  const destination = site!.routes[0]!.destination;
  assert.ok(destination.type === "static");
  assert.deepEqual([destination.prefix, destination.index, destination.immutable], ["/m\u00e9dia", [], "none"]);
  assert.equal(own.added({ sites: [site!], app: "a:a" })[0]!.routes.length, 1);
});

test("without auto the log says what it would do, and of what is not set nothing", () => {
  const { lines, log } = logged();
  const own = new OwnFolders(log);
  const folders = [
    { setting: "STATIC_ROOT", url: "/static/", root: "/srv/static" },
    { setting: "MEDIA_ROOT", url: "/media/", root: null },
  ];
  assert.equal(own.learn("main", folders, false), false);
  assert.equal(own.learn("main", folders, false), false);
  assert.deepEqual(lines, [
    "The app serves /static/ itself; --static auto would serve it from /srv/static (STATIC_ROOT)",
  ]);
});

test("a URL that is no pattern is left to the app, with a word", () => {
  const { lines, log } = logged();
  const own = new OwnFolders(log);
  own.learn("main", [{ setting: "STATIC_ROOT", url: "/a b/", root: base }], true);
  assert.deepEqual(own.added({ sites: [], app: "a:a" }), []);
  assert.match(lines[0]!, /it is not served/);
});

suite("of several apps and sites", () => {
  const route = (path: string, pool: string, more: Partial<RouteSettings> = {}, methods: string[] = []): RoutePlan => {
    const pattern = parsePattern(path);
    assert.ok(!("why" in pattern));
    const settings = { ...NO_SETTINGS, ...more };
    return {
      name: path,
      at: 0,
      match: { pattern, methods, headers: [] },
      destination: { type: "app", pool },
      settings,
    };
  };
  const site = (name: string, routes: RoutePlan[], more: Partial<RouteSettings> = {}): SitePlan => ({
    name,
    hosts: [],
    routes,
    settings: { ...NO_SETTINGS, ...more },
  });
  const served = (own: OwnFolders, app: string, ...sites: SitePlan[]): string[] =>
    own
      .added({ sites, app })
      .flatMap(({ name, routes }) =>
        routes.flatMap(({ match, destination, settings }) =>
          destination.type === "static"
            ? [`${name} ${match.pattern.text} ${destination.root} ${settings.access.length}`]
            : [],
        ),
      );
  const told = (url: string): OwnFolder[] => [{ setting: "MEDIA_ROOT", url, root: `/srv${url}` }];
  const shut = { access: ["deny all"] } as unknown as Partial<RouteSettings>;

  test("a folder is on each site that asks its app for such a path, with what holds for the app's route", () => {
    const own = new OwnFolders(logged().log);
    own.learn("main", told("/m/"), true);
    own.learn("shop", told("/m/"), true);
    assert.deepEqual(
      served(
        own,
        "a:a",
        site("base", []),
        site("shop", [route("/", "shop", shut)]),
        site("both", [route("/shop", "shop")], shut),
        site("other", [route("/", "blog")]),
      ),
      ["base /m/ /srv/m/ 0", "shop /m/ /srv/m/ 1", "both /m/ /srv/m/ 1"],
    );
  });

  test("below the route of a mounted app; where there is no main app, of whoever has a route", () => {
    const { lines, log } = logged();
    const own = new OwnFolders(log);
    own.learn("shop", told("/shop/m/"), true);
    own.learn("blog", told("/m/"), true);
    assert.deepEqual(served(own, "", site("base", [route("/shop", "shop"), route("/blog", "blog", shut)])), [
      "base /shop/m/ /srv/shop/m/ 0",
      "base /m/ /srv/m/ 1",
    ]);
    assert.doesNotMatch(lines.join("\n"), /is no path of that app/);
    assert.deepEqual(served(own, "a:a", site("base", [route("/blog", "blog")])), []);
    assert.match(
      lines.join("\n"),
      /\/m\/ \(--static auto, MEDIA_ROOT of pool blog\) is no path of that app on any site/,
    );
  });

  test("not where method or fields decide who answers, or where the app is given other paths", () => {
    const own = new OwnFolders(logged().log);
    own.learn("shop", told("/m/"), true);
    assert.deepEqual(served(own, "", site("base", [route("/", "shop"), route("/", "blog", {}, ["GET"])])), []);
    assert.deepEqual(served(own, "", site("base", [route("/", "shop", {}, ["GET"])])), []);
    assert.deepEqual(served(own, "", site("base", [route("/", "shop"), route("/", "blog", {}, ["POST"])])).length, 1);
    const rewrite = { rewrite: {} } as unknown as Partial<RouteSettings>;
    assert.deepEqual(served(own, "", site("base", [route("/", "shop", rewrite)])), []);
    assert.deepEqual(served(own, "", site("base", [route("/", "shop"), route("/m", "blog")])), []);
  });
});
