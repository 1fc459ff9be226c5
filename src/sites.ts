/**
 * From the sites of a Plan to the one handler that serves them: which rooms a request passes, and in what order. Made once when the server starts,
 * and once more for each configuration that it reads afterwards; what is at work by then goes on with the old one.
 */
import { caching } from "./cache/desk.ts";
import type { ResponseCache } from "./cache/response-cache.ts";
import { routeRules } from "./cache/route-rules.ts";
import type { Compression } from "./compression/stage.ts";
import type { Plan } from "./config/plan.ts";
import { MAIN_POOL } from "./config/pool-spec.ts";
import { cacheDefaults, type CachePlan } from "./config/sites/cache-plan.ts";
import { NO_SETTINGS, type Destination, type RoutePlan } from "./config/sites/route.ts";
import { leadToUpstreams, type SitePlan } from "./config/sites/site.ts";
import type { FilesContext } from "./files/context.ts";
import { accelerated } from "./files/accelerated.ts";
import { type OwnFolder, OwnFolders } from "./files/own-folders.ts";
import { staticFolder } from "./files/static-folder.ts";
import type { UpstreamPlan } from "./config/sites/upstream.ts";
import { answerError, type Refusal } from "./http/error-response.ts";
import type { Exchange } from "./http/exchange.ts";
import { fold, type Handler, type Stage } from "./http/handler.ts";
import {
  claimsOf,
  dressingStages,
  type GuardContext,
  guardingStages,
  type ProtectionContext,
  type RouteOwner,
} from "./stages/protecting.ts";
import { underMaintenance } from "./stages/maintenance.ts";
import { type ErrorPages, ErrorPageShelf, errorPages } from "./stages/error-pages.ts";
import type { Log } from "./telemetry/log.ts";
import type { RequestHead } from "./http/request-head.ts";
import { redirecting, responding } from "./routes/fixed.ts";
import { hasDotSegment, isSuspect, otherReadings } from "./routes/readings.ts";
import { HostTable } from "./routes/hosts.ts";
import { RouteTable } from "./routes/table.ts";

/** What the routes need from the house: made once, and the same for every configuration. */
export interface SitesContext {
  readonly files: FilesContext;
  /** A pool of workers, by its name. */
  readonly pool: (name: string) => PoolDoor;
  /** What limits and their kin need; limits outlive the configuration. */
  readonly protection: ProtectionContext;
  readonly compression: Compression;
  /** What all routes with a cache have in common. */
  readonly cache: ResponseCache;
  /** Another server. Throws where a file that it needs cannot be read. */
  readonly upstream: (plan: UpstreamPlan) => Handler;
}

/** What a route sees of a pool. */
export interface PoolDoor {
  readonly handler: Handler;
  /** What its app speaks; null before its first worker is ready. */
  readonly interface: "wsgi" | "asgi" | null;
}

/** What holds for the body of a request. */
export interface BodyRule {
  readonly maxBytes: number;
  readonly buffering: "auto" | "on" | "off";
}

/** All sites as the edge sees them. */
export interface Sites {
  readonly handler: Handler;
  /** Whoever answers takes the body as it arrives. */
  readonly streamsBodies: (exchange: Exchange) => boolean;
  /** Whoever answers is an ASGI app, or another server: it may take WebSockets. */
  readonly speaksAsgi: (exchange: Exchange) => boolean;
  /** Some route leads to another server. */
  readonly hasUpstream: boolean;
  /** null: what holds everywhere. */
  readonly bodyRule: ((exchange: Exchange) => BodyRule) | null;
  /** The own page for what is refused at the door; null: no route has any. */
  readonly refusalPage: ((head: RequestHead, status: number) => Refusal | null) | null;
}

type SitesPlan = Pick<
  Plan,
  "sites" | "refusesUnknownHosts" | "limitRequestBody" | "requestBuffering" | "compression" | "cachesAll" | "files"
>;

export function openSites(plan: SitesPlan, context: SitesContext): Sites {
  const main = context.pool(MAIN_POOL);
  const [base, ...named] = plan.sites;
  // Nothing to look up: the short way.
  if (base === undefined) {
    const speaksAsgi = (): boolean => main.interface === "asgi";
    const handler = routeHandler(
      { destination: MAIN, settings: NO_SETTINGS },
      EVERYTHING,
      plan,
      guarded(context, main.handler, []),
    );
    return { handler, streamsBodies: speaksAsgi, speaksAsgi, hasUpstream: false, bodyRule: null, refusalPage: null };
  }
  const subrequest: Handler = (exchange) => find(exchange.head).handler(exchange);
  const all = plan.sites.flatMap(({ routes, settings }) => [settings, ...routes.map((route) => route.settings)]);
  const find = finder(plan, base, named, guarded(context, subrequest, all));
  const hasBodyRules = all.some(
    ({ limitRequestBody, requestBuffering }) => limitRequestBody !== null || requestBuffering !== null,
  );
  return {
    handler: (exchange) => find(exchange.head).handler(exchange),
    // Who is no app takes the body as it comes, or not at all.
    streamsBodies: (exchange) => isAsgiOr(find(exchange.head), true),
    speaksAsgi: (exchange) => {
      const route = find(exchange.head);
      return isAsgiOr(route, route.isUpstream);
    },
    hasUpstream: leadToUpstreams(plan.sites),
    bodyRule: hasBodyRules ? (exchange) => find(exchange.head).body : null,
    refusalPage: all.some(({ errorPages: pages }) => pages !== null)
      ? (head, status) => find(head).errorPages?.refusal(status, head.headers.get("accept")) ?? null
      : null,
  };
}

/** The sites that are served now, and those of a reload that has not succeeded yet; with the folders that the app itself has (--static auto). */
export class SitesInUse {
  readonly #context: SitesContext;
  readonly #log: Log;
  readonly #ownFolders: OwnFolders;
  #plan: Plan;
  #prepared: Plan;
  #sites: Sites;
  #preparedSites: Sites;

  /** Throws where a route needs what is not there. */
  constructor(plan: Plan, context: SitesContext, log: Log) {
    this.#context = context;
    this.#log = log;
    this.#ownFolders = new OwnFolders(log);
    this.#plan = this.#prepared = plan;
    this.#sites = this.#preparedSites = this.#open(plan);
  }

  get now(): Sites {
    return this.#sites;
  }

  /** A reload: its routes are opened, and not in use yet. Throws as the constructor does. */
  prepare(plan: Plan): void {
    this.#prepared = plan;
    this.#preparedSites = this.#open(plan);
  }

  /** The reload has succeeded. */
  adopt(plan: Plan): void {
    this.#plan = plan;
    this.#sites = this.#preparedSites;
  }

  /** A worker of a pool has told which folders its app has. True where that changes what is served. */
  learn(pool: string, folders: readonly OwnFolder[]): boolean {
    if (!this.#ownFolders.learn(pool, folders, this.#prepared.files.isAuto)) return false;
    try {
      this.#sites = this.#open(this.#plan);
      this.#preparedSites = this.#prepared === this.#plan ? this.#sites : this.#open(this.#prepared);
      return true;
    } catch (error) {
      this.#log.error(`Cannot serve the folders of the app: ${(error as Error).message}`);
      return false;
    }
  }

  #open(plan: Plan): Sites {
    return openSites({ ...plan, sites: this.#ownFolders.added(plan) }, this.#context);
  }
}

/** The handler of one route. */
export function routeHandler(route: AnyRoute, owner: RouteOwner, plan: SitesPlan, context: OpenContext): Handler {
  return fold(stagesOf(route, owner, plan, context), destinationHandler(route.destination, context));
}

// Private

interface OpenContext extends SitesContext {
  readonly protection: GuardContext;
  readonly pages: ErrorPageShelf;
}

/** `all` are the settings of all routes: what one of them tells an app about users, no client may say on any. */
function guarded(context: SitesContext, subrequest: Handler, all: readonly RoutePlan["settings"][]): OpenContext {
  const { protection } = context;
  const pages = new ErrorPageShelf(protection.log);
  return { ...context, pages, protection: { ...protection, subrequest, claims: claimsOf(all) } };
}

type AnyRoute = Pick<RoutePlan, "destination" | "settings">;

const MAIN: Destination = { type: "app", pool: MAIN_POOL };
const EVERYTHING: RouteOwner = { name: "all requests", where: "" };

/** A route that is open. */
interface OpenRoute {
  readonly handler: Handler;
  /** Who answers, where that is an app. */
  readonly pool: PoolDoor | null;
  readonly isUpstream: boolean;
  readonly body: BodyRule;
  readonly errorPages: ErrorPages | null;
}

function finder(
  plan: SitesPlan,
  base: SitePlan,
  named: readonly SitePlan[],
  context: OpenContext,
): (head: RequestHead) => OpenRoute {
  const tableOf = (site: SitePlan): RouteTable<OpenRoute> =>
    new RouteTable(
      site.routes.map((route) => ({
        pattern: route.match.pattern,
        condition: route.match.methods.length + route.match.headers.length === 0 ? null : route.match,
        destination: open(route, ownerOf(site, route), plan, context),
      })),
      open({ destination: MAIN, settings: site.settings }, ownerOf(site, null), plan, context),
    );
  const baseTable = tableOf(base);
  const basePages = base.settings.errorPages === null ? null : context.pages.of(base.settings.errorPages);
  const ambiguous = refusing(400, plan, basePages);
  /** What two servers could send to two routes goes to none. */
  const found = (table: RouteTable<OpenRoute>, head: RequestHead): OpenRoute => {
    const route = table.find(head);
    if (!isSuspect(head.path)) return route;
    if (hasDotSegment(head.path)) return ambiguous;
    return otherReadings(head.path).every((path) => table.at(path, head) === route) ? route : ambiguous;
  };
  if (named.length === 0 && !plan.refusesUnknownHosts) return (head) => found(baseTable, head);
  const hosts = new HostTable(named.map((site) => ({ hosts: site.hosts, site: tableOf(site) })));
  // RFC 9110 section 15.5.20: a request for an authority that is none of ours.
  const misdirected = refusing(421, plan, basePages);
  return (head) => {
    const table = hosts.find(head.headers.get("host") ?? "");
    if (table !== undefined) return found(table, head);
    return plan.refusesUnknownHosts ? misdirected : found(baseTable, head);
  };
}

/** Whichever site it may have been for, the page is the default site's. */
function refusing(
  status: number,
  { limitRequestBody, requestBuffering }: SitesPlan,
  pages: ErrorPages | null,
): OpenRoute {
  const body = { maxBytes: limitRequestBody, buffering: requestBuffering };
  const refuse: Handler = (exchange) => answerError(exchange, status);
  const handler = pages === null ? refuse : errorPages(pages)(refuse);
  return { handler, pool: null, isUpstream: false, body, errorPages: pages };
}

function open(route: AnyRoute, owner: RouteOwner, plan: SitesPlan, context: OpenContext): OpenRoute {
  const { destination, settings } = route;
  const name = destination.type === "app" || destination.type === "static" ? destination.pool : null;
  const pool = name === null ? null : context.pool(name);
  return {
    handler: routeHandler(route, owner, plan, context),
    pool,
    isUpstream: destination.type === "upstream",
    body: {
      maxBytes: settings.limitRequestBody ?? plan.limitRequestBody,
      buffering: settings.requestBuffering ?? plan.requestBuffering,
    },
    errorPages: settings.errorPages === null ? null : context.pages.of(settings.errorPages),
  };
}

/** Its place in a file may change with each edition of the file, what it is for does not. */
function ownerOf(site: SitePlan, route: RoutePlan | null): RouteOwner {
  const host = site.hosts[0] ?? "";
  if (route === null) return { name: `all else of ${site.name}`, where: `${host} else` };
  const { pattern, methods, headers } = route.match;
  return { name: route.name, where: `${host} ${JSON.stringify([pattern.text, methods, headers])}` };
}

function isAsgiOr({ pool }: OpenRoute, otherwise: boolean): boolean {
  return pool === null ? otherwise : pool.interface === "asgi";
}

/** The outermost first; each only where the route asks for it. */
function stagesOf(
  { destination, settings }: AnyRoute,
  owner: RouteOwner,
  plan: SitesPlan,
  context: OpenContext,
): readonly Stage[] {
  const { maintenance: down } = settings;
  const compression = settings.compression ?? plan.compression;
  const stages: Stage[] = [
    ...dressingStages(settings, context.protection),
    // Pages for errors pass it too: a page in memory is compressed once for all who get it.
    ...(compression !== null && compression !== "off" ? [context.compression.stage(compression)] : []),
    // A page of its own is no error that another page could stand in for.
    ...(down !== null && down.page !== null ? [underMaintenance(down, context.protection.log)] : []),
    ...(settings.errorPages === null ? [] : [errorPages(context.pages.of(settings.errorPages))]),
    ...(down !== null && down.page === null ? [underMaintenance(down, context.protection.log)] : []),
    ...guardingStages(settings, owner, context.protection),
  ];
  const cache = settings.cache ?? ownCache(destination, plan);
  if (cache !== null && cache !== "off") stages.push(caching(context.cache, routeRules(cache)));
  const accel = settings.accel ?? plan.files.accel;
  const sendfileRoots = settings.sendfileRoots ?? plan.files.sendfileRoots;
  const mayName = destination.type === "app" || destination.type === "upstream";
  if (mayName && accel.length + sendfileRoots.length > 0)
    stages.push(accelerated({ accel, sendfileRoots }, context.files));
  if (settings.timeoutMs !== null) stages.push(limitingTime(settings.timeoutMs));
  return stages;
}

/** --cache is for what has to be worked out; files have a memory of their own. */
function ownCache({ type }: Destination, { cachesAll }: SitesPlan): CachePlan | null {
  return cachesAll && (type === "app" || type === "upstream") ? cacheDefaults : null;
}

function destinationHandler(destination: Destination, context: OpenContext): Handler {
  switch (destination.type) {
    case "app":
      return context.pool(destination.pool).handler;
    case "static":
      return staticFolder(
        destination,
        context.files,
        destination.pool === null ? null : context.pool(destination.pool).handler,
      );
    case "upstream":
      return context.upstream(destination.upstream);
    case "redirect":
      return redirecting(destination);
    case "respond":
      return responding(destination);
  }
}

/** The innermost stage: of the exchanges that stand for one request, the one that the pool gets carries the limit. */
function limitingTime(timeoutMs: number): Stage {
  return (next) => (exchange) => {
    exchange.timeoutMs = timeoutMs;
    next(exchange);
  };
}
