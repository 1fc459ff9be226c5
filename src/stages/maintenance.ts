/**
 * Maintenance: requests are answered with 503, or held until it is over, but for clients that may pass. As a switch of the running server
 * (`maitred maintenance on`), which stands before all routes and is not there at all while it is off; and as a setting of single routes, which
 * answers.
 *
 * Bounds of what is held: a number, and a time for each. They go on in the order in which they came; a client that leaves is taken out.
 */
import type { Clock, Timer } from "../clock.ts";
import type { MaintenancePlan } from "../config/maintenance.ts";
import { answerError } from "../http/error-response.ts";
import type { Exchange } from "../http/exchange.ts";
import type { Handler, Stage } from "../http/handler.ts";
import { chooseMediaType } from "../http/negotiation.ts";
import { ownFields } from "../http/response-changes.ts";
import type { ResponseFields } from "../http/response-fields.ts";
import type { Log } from "../telemetry/log.ts";
import { hold, letGo } from "./holding.ts";
import {
  type MaintenanceInForce,
  type MaintenanceOrder,
  type PageText,
  passingAddresses,
} from "./maintenance-order.ts";
import { type PageFile as Page, readPage } from "./page-file.ts";

/** What `maitred status` tells. */
export interface MaintenanceStatus {
  readonly mode: "page" | "hold";
  readonly forMs: number;
  /** Requests that wait for its end. */
  readonly held: number;
  /** Requests answered with 503. */
  readonly refused: number;
  readonly allow: readonly string[];
}

/** The house's switch. Made once, so that it outlives every configuration. */
export class Maintenance {
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #mostHeld: number;
  /** Called whenever it goes on or off: whoever joined `guard` to the door does so again. */
  onSwitch: () => void = () => {};
  /** Where held requests go on. */
  onward: Handler = () => {};
  #order: MaintenanceOrder | null = null;
  #answer: (exchange: Exchange) => void = () => {};
  #mayPass: (address: string) => boolean = () => false;
  #since = 0;
  #refused = 0;
  #isAbandoned = false;
  /** With the clock's time at which each has waited long enough; the first waits longest. */
  readonly #held = new Map<Exchange, number>();
  #timer: Timer | null = null;

  constructor(mostHeld: number, clock: Clock, log: Log) {
    this.#mostHeld = mostHeld;
    this.#clock = clock;
    this.#log = log;
  }

  get isOn(): boolean {
    return this.#order !== null;
  }

  get status(): MaintenanceStatus | null {
    const order = this.#order;
    if (order === null) return null;
    const forMs = Math.round(this.#clock.now() - this.#since);
    const mode = order.holdMs === null ? "page" : "hold";
    return { mode, forMs, held: this.#held.size, refused: this.#refused, allow: order.allow };
  }

  get inForce(): MaintenanceInForce | null {
    return this.#order === null ? null : { order: this.#order, forMs: this.#clock.now() - this.#since };
  }

  /** What another server has in force is so here. */
  follow(other: MaintenanceInForce | null): void {
    if (other === null) this.end();
    else this.begin(other.order, other.forMs);
  }

  /** Begins, or goes on in another way: what was held by then waits no longer than the new order says. `forMs`: it has been on so long elsewhere. */
  begin(order: MaintenanceOrder, forMs = 0): null {
    if (this.#order === null) {
      this.#since = this.#clock.now() - forMs;
      this.#refused = 0;
    }
    this.#order = order;
    this.#answer = answering(order.page === null ? null : pageOf(order.page), order.retryAfterSeconds);
    this.#mayPass = passingAddresses(order.allow);
    const { holdMs } = order;
    const until = this.#clock.now() + (holdMs ?? 0);
    for (const [exchange, due] of this.#held) this.#held.set(exchange, Math.min(due, until));
    this.#expire();
    const what = holdMs === null ? "requests get 503" : `requests wait, ${holdMs / 1000} s at most, then they get 503`;
    this.#log.warning(`Maintenance: ${what}${order.allow.length === 0 ? "" : `, but for ${order.allow.join(", ")}`}`);
    this.onSwitch();
    return null;
  }

  /** Over: what was held goes on. Returns how many did; null where there was none. */
  end(): number | null {
    const status = this.status;
    if (status === null) return null;
    this.#order = null;
    this.onSwitch();
    const held = this.#takeAll();
    const seconds = (status.forMs / 1000).toFixed(1);
    this.#log.warning(
      `Maintenance is over after ${seconds} s: ${held.length} held requests go on, ${status.refused} got 503`,
    );
    for (const exchange of held) this.onward(exchange);
    return held.length;
  }

  /** The server stops: nobody waits for anything any more. */
  abandon(): void {
    this.#isAbandoned = true;
    for (const exchange of this.#takeAll()) this.#refuse(exchange);
  }

  /** Stands before `next`; only while it is on. */
  guard(next: Handler): Handler {
    return (exchange) => {
      if (this.#order === null || this.#mayPass(exchange.peer.address)) return next(exchange);
      const { holdMs } = this.#order;
      if (holdMs === null || this.#isAbandoned || this.#held.size >= this.#mostHeld) return this.#refuse(exchange);
      this.#held.set(exchange, this.#clock.now() + holdMs);
      hold(exchange, () => this.#held.delete(exchange));
      this.#watch();
    };
  }

  // Private

  #refuse(exchange: Exchange): void {
    this.#refused++;
    this.#answer(exchange);
  }

  #takeAll(): readonly Exchange[] {
    const held = [...this.#held.keys()];
    this.#held.clear();
    this.#timer?.cancel();
    this.#timer = null;
    for (const exchange of held) letGo(exchange);
    return held;
  }

  #watch(): void {
    if (this.#timer !== null) return;
    const [first] = this.#held.values();
    if (first === undefined) return;
    this.#timer = this.#clock.after(Math.max(1, first - this.#clock.now()), () => {
      this.#timer = null;
      this.#expire();
    });
  }

  #expire(): void {
    const now = this.#clock.now();
    for (const [exchange, due] of this.#held) {
      if (due > now) continue;
      this.#held.delete(exchange);
      letGo(exchange);
      this.#refuse(exchange);
    }
    this.#timer?.cancel();
    this.#timer = null;
    this.#watch();
  }
}

/** Maintenance of single routes, by the configuration. */
export function underMaintenance(plan: MaintenancePlan, log: Log): Stage {
  const answer = answering(plan.page === null ? null : readPage(plan.page, log), plan.retryAfterSeconds);
  const mayPass = passingAddresses(plan.allow);
  return (next) => (exchange) => {
    if (mayPass(exchange.peer.address)) next(exchange);
    else answer(exchange);
  };
}

// Private

function pageOf({ contentType, text }: PageText): Page {
  return { type: contentType.replace(/;.*$/s, ""), contentType, body: Buffer.from(text) };
}

/** 503 with the page; with the built-in form for who does not accept it. */
function answering(page: Page | null, retryAfterSeconds: number | null): (exchange: Exchange) => void {
  const retry = retryAfterSeconds === null ? undefined : retryAfterSeconds;
  if (page === null) return (exchange) => answerError(exchange, 503, retry);
  const fields: ResponseFields = ownFields([
    "Content-Type",
    page.contentType,
    "Cache-Control",
    "no-store",
    ...(retry === undefined ? [] : ["Retry-After", String(retry)]),
  ]);
  return (exchange) => {
    if (chooseMediaType(exchange.head.headers.get("accept"), [page.type]) === null)
      return answerError(exchange, 503, retry);
    exchange.complete(503, "", fields, page.body);
  };
}
