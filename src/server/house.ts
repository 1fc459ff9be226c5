/**
 * What serves requests between the street door and the applications: the pools of workers, the routes of the sites, the cache, files and what they share;
 * and the EdgeContext, by which client connections reach all of it.
 */
import { openCache } from "../cache/open-cache.ts";
import type { ResponseCache } from "../cache/response-cache.ts";
import type { Clock } from "../clock.ts";
import { Compression } from "../compression/stage.ts";
import { absolutePath } from "../config/paths.ts";
import type { Plan } from "../config/plan.ts";
import { Concurrency } from "../edge/concurrency.ts";
import type { EdgeContext } from "../edge/context.ts";
import { bodySettings, edgeSettings } from "../edge/edge-settings.ts";
import type { BoundListener } from "../edge/listener.ts";
import { untrustedWarning } from "../edge/untrusted-warning.ts";
import { FilesContext } from "../files/context.ts";
import type { Exchange } from "../http/exchange.ts";
import { requestName } from "../http/request-name.ts";
import type { HealthFacts } from "../operations/health.ts";
import { answeringHealth } from "../operations/health-stage.ts";
import { type SitesContext, SitesInUse } from "../sites.ts";
import { SendfileProcess } from "../spool/sendfile-process.ts";
import { Spool } from "../spool/spool.ts";
import { Maintenance } from "../stages/maintenance.ts";
import { openProtection } from "../stages/protecting.ts";
import type { Log } from "../telemetry/log.ts";
import type { UpstreamCounts } from "../upstream/upstream.ts";
import { Upstreams } from "../upstream/upstreams.ts";
import { MemoryCgroup } from "../workers/memory-cgroup.ts";
import { Pools } from "../workers/pools.ts";
import { EndLedger } from "../workers/report.ts";
import { ResponseRelays } from "../workers/response-relay.ts";
import { TurnEnd } from "../workers/turn-end.ts";
import { CannotStart } from "./cannot-start.ts";

type SitesDoor = Pick<EdgeContext, "streamsBodies" | "speaksAsgi" | "bodyRule" | "refusalPage" | "submit">;

export class House {
  phase: HealthFacts["phase"] = "starting";
  readonly pools: Pools;
  readonly cache: ResponseCache;
  readonly maintenance: Maintenance;
  /** One object for all connections; what changes with a reload changes in it. */
  readonly context: EdgeContext;
  /** How workers have ended. */
  readonly ledger: EndLedger = new EndLedger();
  /** Maintenance has begun, changed or ended. */
  onMaintenance: () => void = () => {};
  readonly #plan: Plan;
  readonly #clock: Clock;
  readonly #upstreams: Upstreams;
  readonly #spool: Spool;
  readonly #sendfile: SendfileProcess | null;
  readonly #sitesContext: SitesContext;
  readonly #sites: SitesInUse;
  readonly #concurrency: Concurrency | null;

  /**
   * @param logAccess is called for each exchange that is over; null: there is no access log.
   * Throws CannotStart where a route needs what is not there.
   */
  constructor(plan: Plan, clock: Clock, log: Log, logAccess: ((exchange: Exchange) => void) | null) {
    this.#plan = plan;
    this.#clock = clock;
    const warn = (message: string): void => log.warning(message);
    const now = (): number => clock.now();
    this.pools = new Pools(plan, clock, log);
    this.cache = openCache(plan.cache, plan.operations.handover !== null, clock, log);
    this.#upstreams = new Upstreams(clock, log);
    this.#sitesContext = {
      cache: this.cache,
      pool: (name) => this.pools.named(name),
      files: new FilesContext(plan.staticMemory, clock, log),
      protection: openProtection({
        clock,
        log,
        pathOf: (written) => absolutePath(plan.chdir, written),
        trusts: (peer) => peer.isSpokenFor || this.context.forwarding?.trusted.trustsPeer(peer.address) === true,
      }),
      compression: new Compression(clock, log),
      upstream: (upstream) => this.#upstreams.handler(upstream),
    };
    try {
      this.#sites = new SitesInUse(plan, this.#sitesContext, log);
    } catch (error) {
      throw new CannotStart(`Cannot serve the routes: ${(error as Error).message}`);
    }
    this.#spool = new Spool({ folder: plan.spoolDir, maxBytes: plan.spoolMax }, warn, now);
    this.#sendfile = plan.sendfile ? new SendfileProcess(plan.python, warn, now) : null;
    const concurrency = plan.limitConcurrency === 0 ? null : this.#limitConcurrency(plan.limitConcurrency, log);
    this.#concurrency = concurrency;
    this.maintenance = new Maintenance(plan.queueSize, clock, log);
    this.context = {
      clock,
      ...edgeSettings(plan),
      hasAsgi: () => this.#sites.now.hasUpstream || this.pools.all.some((pool) => pool.interface === "asgi"),
      bodies: { ...bodySettings(plan), spool: this.#spool, gatheredBytes: 0 },
      http2: plan.http2,
      sendfile: this.#sendfile,
      date: plan.dateHeader ? new Date().toUTCString() : "",
      isDraining: false,
      ...this.#sitesDoor(),
      onDone:
        concurrency === null
          ? logAccess
          : (exchange) => {
              concurrency.done(exchange);
              logAccess?.(exchange);
            },
      onRejected: (address, status, detail) =>
        log.info(`Request from ${address || "a Unix socket"} refused with ${status}: ${detail}`),
      onCutOff: (address, detail) => log.info(`Connection from ${address || "a Unix socket"} cut off: ${detail}`),
      onTroubleAtDoor: warn,
      onUntrusted: untrustedWarning(log),
      onBadLength: (exchange, promised, sent) =>
        log.error(`${requestName(exchange)}: the app promised Content-Length ${promised} and sent ${sent} bytes`),
    };
    this.maintenance.onward = (exchange) => this.context.submit(exchange);
    this.maintenance.onSwitch = () => {
      Object.assign(this.context, this.#sitesDoor());
      this.onMaintenance();
    };
    if (plan.dateHeader) clock.every(1000, () => (this.context.date = new Date().toUTCString()));
  }

  get healthFacts(): HealthFacts {
    const { pools } = this;
    return {
      phase: this.phase,
      serving: pools.serving,
      wanted: pools.wanted,
      needsNone: pools.areEmpty,
      isCrashLooping: pools.isCrashLooping,
      waiting: pools.waiting,
    };
  }

  get upstreams(): readonly UpstreamCounts[] {
    return this.#upstreams.counts;
  }

  /** Gives the pools what their workers need. Apps are told that they are served at `listener`. */
  hire(listener: BoundListener): void {
    this.pools.hire(listener, {
      clock: this.#clock,
      turnEnd: new TurnEnd(),
      relays: new ResponseRelays(this.#spool, this.#plan.responseBuffer),
      nextWorker: counter(),
      ledger: this.ledger,
      memoryCgroup: MemoryCgroup.own(this.#plan.cgroupRoot),
      onModules: (files, standard) => this.pools.onModules(files, standard),
      onFolders: (pool, folders) => {
        if (this.#sites.learn(pool, folders)) Object.assign(this.context, this.#sitesDoor());
      },
    });
  }

  /** A reload: the routes of the new plan are opened, and not in use yet. Throws where one needs what is not there. */
  prepare(next: Plan): void {
    this.#sites.prepare(next);
  }

  /** The reload that was prepared takes over. */
  adopt(next: Plan): void {
    this.#sites.adopt(next);
    this.#sitesContext.protection.zones.settle();
    Object.assign(this.context, edgeSettings(next), this.#sitesDoor());
    Object.assign(this.context.bodies, bodySettings(next));
    this.pools.dismissUnused();
  }

  /** The workers have gone before. */
  async close(): Promise<void> {
    this.#sendfile?.close();
    await this.cache.close();
  }

  // Private

  /** The sites as the edge sees them, behind what concerns all of them. */
  #sitesDoor(): SitesDoor {
    const { handler, streamsBodies, speaksAsgi, bodyRule, refusalPage } = this.#sites.now;
    const { healthPath } = this.#plan.operations;
    const concurrency = this.#concurrency;
    const limited = concurrency === null ? handler : (exchange: Exchange): void => concurrency.submit(exchange);
    const guarded = this.maintenance.isOn ? this.maintenance.guard(limited) : limited;
    const submit = healthPath === null ? guarded : answeringHealth(healthPath, () => this.healthFacts, guarded);
    return { streamsBodies, speaksAsgi, bodyRule, refusalPage, submit };
  }

  #limitConcurrency(most: number, log: Log): Concurrency {
    const told = (count: number): void =>
      log.warning(`Answered 503 to ${count} request${count === 1 ? "" : "s"} (--limit-concurrency ${most})`);
    return new Concurrency(most, (exchange) => this.#sites.now.handler(exchange), this.#clock, told);
  }
}

function counter(): () => number {
  let last = 0;
  return () => ++last;
}
