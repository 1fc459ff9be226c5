/**
 * The upstreams of the house, each once, however often the configuration is read: what is said of one as before goes on with its connections. The
 * client library is large, so it is loaded when the first one is opened; requests that come before it is there wait for it.
 */
import { readFileSync } from "node:fs";
import type { Clock } from "../clock.ts";
import type { UpstreamPlan } from "../config/sites/upstream.ts";
import type { Exchange } from "../http/exchange.ts";
import type { Handler } from "../http/handler.ts";
import type { Log } from "../telemetry/log.ts";
import type { Upstream, UpstreamCounts } from "./upstream.ts";

interface Opened {
  readonly handler: Handler;
  room: Upstream | null;
}

/** Upstreams that no configuration names any more are forgotten past so many. */
const MOST_KEPT = 256;

export class Upstreams {
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #opened = new Map<string, Opened>();

  constructor(clock: Clock, log: Log) {
    this.#clock = clock;
    this.#log = log;
  }

  /** Throws where the file of `tls.ca` cannot be read. */
  handler(plan: UpstreamPlan): Handler {
    const ca = plan.tls.caFile === null ? null : readFileSync(plan.tls.caFile);
    const key = JSON.stringify([plan, ca?.toString("latin1") ?? null]);
    const known = this.#opened.get(key);
    // What is named again is the youngest.
    this.#opened.delete(key);
    const opened = known ?? this.#open(plan, ca);
    this.#opened.set(key, opened);
    if (this.#opened.size > MOST_KEPT) this.#forgetOldest();
    return opened.handler;
  }

  get counts(): readonly UpstreamCounts[] {
    return [...this.#opened.values()].flatMap(({ room }) => (room === null ? [] : [room.counts]));
  }

  // Private

  #open(plan: UpstreamPlan, ca: Buffer | null): Opened {
    const early: Exchange[] = [];
    let handle: Handler = (exchange) => early.push(exchange);
    const opened: Opened = { handler: (exchange) => handle(exchange), room: null };
    void import("./upstream.ts").then(({ Upstream }) => {
      opened.room = new Upstream(plan, ca, this.#clock, this.#log);
      ({ handle } = opened.room);
      for (const exchange of early) if (exchange.state !== "done") handle(exchange);
    });
    return opened;
  }

  #forgetOldest(): void {
    for (const [key, { room }] of this.#opened) {
      room?.close();
      this.#opened.delete(key);
      return;
    }
  }
}
