/**
 * `--static auto`: the folders that the app's own settings name (Django's STATIC_ROOT and MEDIA_ROOT), as routes of the default site. Workers tell
 * them when they are ready; without `auto` the log says what it would do, once.
 */
import { readdirSync } from "node:fs";
import { staticDefaults, type StaticPlan } from "../config/static-plan.ts";
import { NO_SETTINGS, type RoutePlan } from "../config/sites/route.ts";
import type { SitePlan } from "../config/sites/site.ts";
import { parsePattern } from "../http/path-pattern.ts";
import type { Log } from "../telemetry/log.ts";

/** As a worker tells it. */
export interface OwnFolder {
  readonly setting: string;
  readonly url: string;
  readonly root: string | null;
}

const MEDIA = "MEDIA_ROOT";

export class OwnFolders {
  readonly #log: Log;
  #told = "";
  #routes: readonly RoutePlan[] = [];

  constructor(log: Log) {
    this.#log = log;
  }

  /** A worker has told them. True where that changes what is served. */
  learn(folders: readonly OwnFolder[], isAuto: boolean): boolean {
    // Empty or not: `collectstatic` may have been run since.
    const told = JSON.stringify([isAuto, folders, folders.map(({ root }) => root !== null && isEmpty(root))]);
    if (told === this.#told) return false;
    this.#told = told;
    const before = this.#routes;
    this.#routes = isAuto ? folders.flatMap((folder) => this.#routeOf(folder)) : [];
    if (!isAuto) this.#hint(folders);
    return before.length + this.#routes.length > 0;
  }

  /** With the folders in the first of them, the default site; what has a route already keeps it. */
  added(sites: readonly SitePlan[]): readonly SitePlan[] {
    if (this.#routes.length === 0) return sites;
    const [base, ...others] = sites;
    if (base === undefined)
      return [{ name: "the default site", hosts: [], routes: this.#routes, settings: NO_SETTINGS }];
    const taken = new Set(base.routes.map(({ match }) => match.pattern.literal));
    const more = this.#routes.filter(({ match }) => !taken.has(match.pattern.literal));
    return [
      { ...base, routes: [...base.routes, ...more.map((route) => ({ ...route, settings: base.settings }))] },
      ...others,
    ];
  }

  // Private

  #routeOf({ setting, url, root }: OwnFolder): readonly RoutePlan[] {
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
          `--static auto: ${setting} is not set, so ${url} is left to the app: set it and run python manage.py collectstatic`,
        );
      return [];
    }
    if (!isMedia && isEmpty(root)) {
      this.#log.warning(
        `--static auto: nothing is in ${root} (${setting}), so ${url} is left to the app: run python manage.py collectstatic, then reload`,
      );
      return [];
    }
    this.#log.info(`Serving ${url} from ${root} (${setting})`);
    // What people have uploaded has the names that they gave it: no hash, no page, nothing compressed beside it.
    const media: Partial<StaticPlan> = isMedia ? { immutable: "none", index: [], precompressed: false } : {};
    return [
      {
        name: `${pattern.text} (--static auto)`,
        at: null,
        match: { pattern, methods: [], headers: [] },
        destination: { type: "static", ...staticDefaults, ...media, root, prefix: pattern.literal },
        settings: NO_SETTINGS,
      },
    ];
  }

  #hint(folders: readonly OwnFolder[]): void {
    for (const { setting, url, root } of folders)
      if (root !== null)
        this.#log.info(`The app serves ${url} itself; --static auto would serve it from ${root} (${setting})`);
  }
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
