/** From the content of a configuration file to the sites of a Plan: defaults filled in, pools found, and what contradicts itself told. Pure. */
import type { PathPattern } from "../../http/path-pattern.ts";
import { MAIN_POOL, type PoolSpec } from "../pool-spec.ts";
import { limitMistakes } from "./limits.ts";
import { nearest } from "../suggest.ts";
import { NO_SETTINGS, type Destination, type RoutePlan, type RouteSettings } from "./route.ts";
import type { DestinationContent, FileContent, RouteContent } from "./schema.ts";
import type { SitePlan } from "./site.ts";

export interface SitesAsked {
  readonly content: FileContent;
  /** "maitred.toml:12" for a place in the file. */
  readonly where: (path: readonly PropertyKey[]) => string;
}

export interface SitesAnswer {
  readonly sites: readonly SitePlan[];
  readonly refusesUnknownHosts: boolean;
  /** Pools of the file: those it names, and those that routes have for their own app. */
  readonly pools: readonly PoolSpec[];
  readonly mistakes: readonly string[];
}

/**
 * `given` are the pools of the command line, whose paths are routes of the default site as `folders` are, which come from there too; `mainApp` is the
 * main pool's.
 */
export function sitesOf(
  asked: SitesAsked | null,
  given: readonly PoolSpec[],
  folders: readonly RoutePlan[],
  mainApp: string,
): SitesAnswer {
  const toPools = given.flatMap(({ name, patterns }) =>
    patterns.map((pattern) => routeOf(pattern, { type: "app", pool: name }, `--pool ${name}`)),
  );
  const fromFlags = [...folders, ...toPools];
  if (asked === null) {
    const site = { name: DEFAULT_SITE, hosts: [], routes: fromFlags, settings: NO_SETTINGS };
    const sites = fromFlags.length === 0 ? [] : [site];
    return { sites, refusesUnknownHosts: false, pools: [], mistakes: withoutApp(given, mainApp) };
  }
  const { content, where } = asked;
  const pools = new PoolNames(given, asked, mainApp);
  const mistakes: string[] = pools.mistakes;

  const routesOf = (
    contents: readonly RouteContent[],
    base: readonly PropertyKey[],
    defaults: RouteSettings,
  ): RoutePlan[] => {
    const seen = new Map<string, string>();
    return contents.flatMap((content, at) => {
      const path = [...base, "route", at];
      const place = where(path);
      const destination = pools.destination(content, path);
      return content.patterns.map((pattern) => {
        const key = conditionKey(pattern, content.match);
        const other = seen.get(key);
        if (other !== undefined)
          mistakes.push(`${place}: ${pattern.text} has a route already (${other}): one of them is never used`);
        seen.set(key, place);
        return {
          name: `${pattern.text} (${place})`,
          at,
          match: { pattern, ...content.match },
          destination,
          settings: { ...defaults, ...content.settings },
        };
      });
    });
  };

  const top: RouteSettings = { ...NO_SETTINGS, ...content.settings };
  const owners = new Map<string, string>();
  const sites = content.site.map((site, at): SitePlan => {
    const place = where(["site", at]);
    for (const host of site.hosts) {
      const owner = owners.get(host);
      if (owner !== undefined) mistakes.push(`${place}: ${host} belongs to a site already (${owner})`);
      owners.set(host, place);
    }
    const settings = { ...top, ...site.settings };
    return {
      name: `${site.hosts[0] ?? ""} (${place})`,
      hosts: site.hosts,
      routes: routesOf(site.route, ["site", at], settings),
      settings,
    };
  });
  const own = routesOf(content.route, [], top);
  const others = fromFlags.map((route) => ({ ...route, settings: top }));
  // Of the same path the command line's route counts.
  const base: SitePlan = { name: DEFAULT_SITE, hosts: [], routes: [...others, ...own], settings: top };
  const limited = [base, ...sites].flatMap(({ routes }) => routes);
  mistakes.push(...limitMistakes(limited.map(({ name, settings }) => ({ where: name, limits: settings.limits }))));
  return {
    sites: [base, ...sites],
    refusesUnknownHosts: content["unknown-hosts"] === "refuse",
    pools: pools.specs,
    mistakes,
  };
}

// Private

const DEFAULT_SITE = "the default site";

function routeOf(pattern: PathPattern, destination: Destination, place: string): RoutePlan {
  const match = { pattern, methods: [], headers: [] };
  return { name: `${pattern.text} (${place})`, at: null, match, destination, settings: NO_SETTINGS };
}

function withoutApp(given: readonly PoolSpec[], mainApp: string): string[] {
  const bare = mainApp === "" ? given.filter(({ app }) => app === undefined) : [];
  return bare.map(({ name }) => `--pool ${name} has no app, and there is no other`);
}

/** Two routes with the same key are for the same requests. */
function conditionKey({ text, literal, isExact }: PathPattern, { methods, headers }: RouteContent["match"]): string {
  const path = literal === null ? text : `${literal}${isExact ? "$" : ""}`;
  const fields = headers.map(({ name, value }) => `${name}=${value ?? ""}`).toSorted();
  return JSON.stringify([path, methods.toSorted(), fields]);
}

/** Which pool a route means, and the pools that there are for it. */
class PoolNames {
  readonly specs: PoolSpec[] = [];
  readonly mistakes: string[] = [];
  readonly #known: Set<string>;
  readonly #mounts = new Map<string, string>();
  readonly #mainApp: string;
  readonly #asked: SitesAsked;

  constructor(given: readonly PoolSpec[], asked: SitesAsked, mainApp: string) {
    this.#asked = asked;
    this.#mainApp = mainApp;
    this.mistakes.push(...withoutApp(given, mainApp));
    this.#known = new Set([MAIN_POOL, ...given.map(({ name }) => name)]);
    for (const [name, settings] of Object.entries(asked.content.pools)) {
      if (this.#known.has(name)) {
        const place = asked.where(["pools", name]);
        this.mistakes.push(
          name === MAIN_POOL
            ? `${place}: ${name} is the name of the pool of app: its settings stand at the top of the file`
            : `${place}: there is a pool ${name} already, by --pool`,
        );
        continue;
      }
      this.#known.add(name);
      if (settings.app === undefined && mainApp === "")
        this.mistakes.push(`${asked.where(["pools", name])}: pool ${name} has no app, and there is no other`);
      if (settings.mountAt !== undefined) this.#mounts.set(name, settings.mountAt);
      this.specs.push({ name, patterns: [], ...settings });
    }
  }

  destination({ destination, patterns }: RouteContent, path: readonly PropertyKey[]): Destination {
    if (destination === null) return this.#main(`${this.#asked.where(path)}: ${patterns[0]?.text ?? ""}`);
    if (destination.type === "pool") return this.#pool(destination.pool, patterns, path);
    if (destination.type === "app") return this.#app(destination, patterns);
    if (destination.type === "static" && destination.pool !== null)
      this.#mustKnow(destination.pool, [...path, "static", "otherwise"]);
    if (destination.type === "static" && destination.pool !== null)
      this.#pool(destination.pool, patterns, [...path, "static"]);
    return destination;
  }

  #main(who: string): Destination {
    if (this.#mainApp === "") this.mistakes.push(`${who} needs an application, and there is none: give app`);
    return { type: "app", pool: MAIN_POOL };
  }

  #pool(name: string, patterns: readonly PathPattern[], path: readonly PropertyKey[]): Destination {
    const place = this.#asked.where([...path, "pool"]);
    this.#mustKnow(name, [...path, "pool"]);
    if (name === MAIN_POOL) return this.#main(`${place}: pool main`);
    const mount = this.#mounts.get(name);
    for (const { text, literal } of mount === undefined ? [] : patterns)
      if (literal !== mount && literal?.startsWith(`${mount}/`) !== true)
        this.mistakes.push(`${place}: pool ${name} is mounted at ${mount}, and ${text} does not lie there`);
    return { type: "app", pool: name };
  }

  #mustKnow(name: string, path: readonly PropertyKey[]): void {
    if (this.#known.has(name)) return;
    const near = nearest(name, this.#known);
    const hint = near === null ? `: there are ${[...this.#known].join(", ")}` : `, did you mean ${near}?`;
    this.mistakes.push(`${this.#asked.where(path)}: there is no pool ${name}${hint}`);
  }

  /** Routes of the same app share its pool, as far as it has the same root for them. */
  #app({ app, mount }: Extract<DestinationContent, { type: "app" }>, patterns: readonly PathPattern[]): Destination {
    const mountAt = mount ? (patterns[0]?.literal ?? "") : undefined;
    if (app === this.#mainApp && mountAt === undefined) return { type: "app", pool: MAIN_POOL };
    const made = this.specs.find((spec) => spec.app === app && spec.mountAt === mountAt && spec.isImplied === true);
    if (made !== undefined) return { type: "app", pool: made.name };
    const module = app.replace(/[:(].*$/s, "");
    let name = module;
    for (let count = 2; this.#known.has(name); count++) name = `${module}-${count}`;
    this.#known.add(name);
    this.specs.push({ name, patterns: [], app, isImplied: true, ...(mountAt === undefined ? {} : { mountAt }) });
    return { type: "app", pool: name };
  }
}
