/**
 * Opens an upstream. The client library is large, so it is loaded when the first one is opened; requests that come before it is there wait for it.
 * What can be wrong with the plan is told at once.
 */
import { readFileSync } from "node:fs";
import type { Clock } from "../clock.ts";
import type { UpstreamPlan } from "../config/sites/upstream.ts";
import type { Exchange } from "../http/exchange.ts";
import type { Handler } from "../http/handler.ts";
import type { Log } from "../telemetry/log.ts";

/** Throws where the file of `tls.ca` cannot be read. */
export function openUpstream(plan: UpstreamPlan, clock: Clock, log: Log): Handler {
  const ca = plan.tls.caFile === null ? null : readFileSync(plan.tls.caFile);
  const early: Exchange[] = [];
  let handle: Handler = (exchange) => early.push(exchange);
  void import("./upstream.ts").then(({ Upstream }) => {
    ({ handle } = new Upstream(plan, ca, clock, log));
    for (const exchange of early) if (exchange.state !== "done") handle(exchange);
  });
  return (exchange) => handle(exchange);
}
