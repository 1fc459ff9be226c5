/**
 * `--static auto`: the folders that the settings of apps name (Django's STATIC_ROOT and MEDIA_ROOT), as routes: on each site where the app would be asked
 * for such a path, with all that holds for its own route there. Workers tell them when they are ready; without `auto` the log says what it would do, once.
 */
import { readdirSync } from "node:fs";
import type { Plan } from "../config/plan.ts";
import { MAIN_POOL } from "../config/pool-spec.ts";
import { staticDefaults, type StaticPlan } from "../config/static-plan.ts";
import { NO_SETTINGS, type RoutePlan, type RouteSettings } from "../config/sites/route.ts";
import type { SitePlan } from "../config/sites/site.ts";
import { bySpecificity, matches, parsePattern } from "../http/path-pattern.ts";
import type { Log } from "../telemetry/log.ts";

/** As a worker tells it. */
export interface OwnFolder {
  readonly setting: string;
  readonly url: string;
  readonly root: string | null;
}

/** What a pool's workers have told. */
interface Told {
  readonly text: string;
  readonly routes: readonly RoutePlan[];
}

const MEDIA = "MEDIA_ROOT";

export class OwnFolders {
  readonly #log: Log;
  readonly #told = new Map<string, Told>();
  /** Names of routes that no site has a place for: told once. */
  readonly #homeless = new Set<string>();

  constructor(log: Log) {
    this.#log = log;
  }

  /** A worker has told them. True where that changes what is served. */
  learn(pool: string, folders: readonly OwnFolder[], isAuto: boolean): boolean {
    const before = this.#told.get(pool);
    // Empty or not: `collectstatic` may have been run since.
    const text = JSON.stringify([isAuto, folders, folders.map(({ root }) => root !== null && isEmpty(root))]);
    if (text === before?.text || (before === undefined && folders.length === 0)) return false;
    const whose = pool === MAIN_POOL ? "" : ` of pool ${pool}`;
    const routes = isAuto ? folders.flatMap((folder) => this.#routeOf(folder, whose)) : [];
    this.#told.set(pool, { text, routes });
    this.#homeless.clear();
    if (!isAuto) this.#hint(folders, whose);
    return (before?.routes.length ?? 0) + routes.length > 0;
  }

  /** The sites with the folders. What has a route of its own already keeps it. */
  added({ sites, app }: Pick<Plan, "sites" | "app">): readonly SitePlan[] {
    if ([...this.#told.values()].every(({ routes }) => routes.length === 0)) return sites;
    const placed = new Set<string>();
    const all = sites.length === 0 ? [DEFAULT_SITE] : sites;
    const added = all.map((site) => {
      const more: RoutePlan[] = [];
      for (const [pool, { routes }] of this.#told)
        for (const route of routes) {
          const settings = settingsFor(route, pool, site, app !== "");
          const isTaken = [...site.routes, ...more].some(
            ({ match }) => match.pattern.literal === route.match.pattern.literal,
          );
          if (settings !== null || isTaken) placed.add(route.name);
          if (settings !== null && !isTaken) more.push({ ...route, settings });
        }
      return more.length === 0 ? site : { ...site, routes: [...site.routes, ...more] };
    });
    for (const { routes } of this.#told.values())
      for (const { name } of routes)
        if (!placed.has(name) && !this.#homeless.has(name)) {
          this.#homeless.add(name);
          this.#log.warning(
            `${name} is no path of that app on any site, so it is not served: give it a route (static = …)`,
          );
        }
    return added;
  }

  // Private

  #routeOf({ setting, url, root }: OwnFolder, whose: string): readonly RoutePlan[] {
    const pattern = parsePattern(decoded(url));
    if ("why" in pattern || pattern.literal === null) {
      this.#log.warning(
        `--static auto: ${url} ${"why" in pattern ? pattern.why : "has an asterisk"}; it is not served`,
      );
      return [];
    }
    const isMedia = setting === MEDIA;
    if (root === null) {
      if (!isMedia)
        this.#log.warning(
          `--static auto: ${setting}${whose} is not set, so ${url} is left to the app: set it and run python manage.py collectstatic`,
        );
      return [];
    }
    if (!isMedia && isEmpty(root)) {
      this.#log.warning(
        `--static auto: nothing is in ${root} (${setting}${whose}), so ${url} is left to the app: run python manage.py collectstatic, then reload`,
      );
      return [];
    }
    this.#log.info(`Serving ${url} from ${root} (${setting}${whose})`);
    // What people have uploaded has the names that they gave it: no hash, no page, nothing compressed beside it.
    const media: Partial<StaticPlan> = isMedia ? { immutable: "none", index: [], precompressed: false } : {};
    return [
      {
        name: `${pattern.text} (--static auto, ${setting}${whose})`,
        at: null,
        match: { pattern, methods: [], headers: [] },
        destination: { type: "static", ...staticDefaults, ...media, root, prefix: pattern.literal },
        settings: NO_SETTINGS,
      },
    ];
  }

  #hint(folders: readonly OwnFolder[], whose: string): void {
    for (const { setting, url, root } of folders)
      if (root !== null)
        this.#log.info(`The app serves ${url} itself; --static auto would serve it from ${root} (${setting}${whose})`);
  }
}

const DEFAULT_SITE: SitePlan = { name: "the default site", hosts: [], routes: [], settings: NO_SETTINGS };

/** What holds for the folder on a site; null where the app is not asked for its paths there. */
function settingsFor(folder: RoutePlan, pool: string, site: SitePlan, hasMain: boolean): RouteSettings | null {
  const inside = `${folder.match.pattern.literal}/x`;
  // Files are only for GET.
  const asked = site.routes.filter(
    ({ match: { pattern, methods } }) => matches(pattern, inside) && (methods.length === 0 || methods.includes("GET")),
  );
  const [first] = asked.toSorted((a, b) => bySpecificity(a.match.pattern, b.match.pattern));
  if (first === undefined) {
    if (hasMain) return pool === MAIN_POOL ? folderSettings(site.settings) : null;
    // Nobody answers there: whichever app of the site needs it may have it.
    const own = site.routes.find((route) => isFor(route, pool));
    return own === undefined ? null : folderSettings(own.settings);
  }
  // Where fields decide too, nobody but the apps can tell.
  const isClear = asked.every((route) => isFor(route, pool) || isLessSpecific(route, first));
  return isClear && isFor(first, pool) ? folderSettings(first.settings) : null;
}

function isFor({ destination, match }: RoutePlan, pool: string): boolean {
  return destination.type === "app" && destination.pool === pool && match.methods.length + match.headers.length === 0;
}

function isLessSpecific(route: RoutePlan, than: RoutePlan): boolean {
  return bySpecificity(than.match.pattern, route.match.pattern) < 0;
}

/** Files have a memory of their own; an app that is given other paths than clients ask for has other folders, too. */
function folderSettings(settings: RouteSettings): RouteSettings | null {
  return settings.rewrite === null ? { ...settings, cache: "off" } : null;
}

function isEmpty(folder: string): boolean {
  try {
    return readdirSync(folder).length === 0;
  } catch {
    return true;
  }
}

/** STATIC_URL is a URL, patterns are compared with decoded paths. */
function decoded(url: string): string {
  try {
    return decodeURIComponent(url);
  } catch {
    return url;
  }
}
