/** Another HTTP/1.1 server that answers a route: takes the requests, keeps the connections to it. */
import type { Clock } from "../clock.ts";
import type { UpstreamPlan } from "../config/sites/upstream.ts";
import { answerError, failureOutcome } from "../http/error-response.ts";
import type { Exchange } from "../http/exchange.ts";
import type { Handler } from "../http/handler.ts";
import { requestName } from "../http/request-name.ts";
import type { Log } from "../telemetry/log.ts";
import { Connections } from "./connections.ts";
import { requestFields } from "./request-fields.ts";
import { BadTarget, upstreamTarget } from "./request-target.ts";
import { type UpstreamHouse, UpstreamRequest } from "./upstream-request.ts";

/** For the status. */
export interface UpstreamCounts {
  readonly url: string;
  /** Connections with a request or a WebSocket, and without one. */
  readonly busy: number;
  readonly idle: number;
  /** Requests that wait for a connection. */
  readonly waiting: number;
}

export class Upstream {
  readonly #house: UpstreamHouse;
  readonly #clock: Clock;

  /** Connects when the first request comes. `ca` is what the file of the plan's `tls.ca` holds. */
  constructor(plan: UpstreamPlan, ca: Buffer | null, clock: Clock, log: Log) {
    this.#house = { plan, connections: new Connections(plan, ca, clock), clock, log };
    this.#clock = clock;
  }

  readonly handle: Handler = (exchange) => {
    const { plan } = this.#house;
    const { head, peer } = exchange;
    exchange.queuedAt = exchange.givenAt = this.#clock.now();
    const target = upstreamTarget(head.path, head.query, plan.stripPrefix, plan.basePath);
    if (target instanceof BadTarget) return this.#refuse(exchange, target.status, target.reason);
    const fields = requestFields(head, peer, plan);
    if (fields === null)
      return this.#refuse(exchange, 508, "it has come by here again and again (Via): the upstream leads back");
    new UpstreamRequest(exchange, this.#house, target, fields).begin();
  };

  get counts(): UpstreamCounts {
    const { plan, connections } = this.#house;
    return { url: plan.url, ...connections.counts };
  }

  /** No request comes any more: ends its connections as they become idle. */
  close(): void {
    this.#house.connections.close();
  }

  // Private

  #refuse(exchange: Exchange, status: number, reason: string): void {
    this.#house.log.error(
      `${requestName(exchange)}: upstream ${this.#house.plan.url}: ${reason}; ${failureOutcome(exchange, status)}`,
    );
    answerError(exchange, status);
  }
}
