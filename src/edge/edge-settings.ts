/** What the Plan says about connections and what comes over them, in the edge's terms. Pure. */
import type { Plan } from "../config/plan.ts";
import type { BodyLimits } from "./body-limits.ts";
import type { EdgeContext } from "./context.ts";

/** What a configuration that is read again may change while connections are open. */
export type EdgeSettings = Pick<
  EdgeContext,
  | "limits"
  | "keepAliveMs"
  | "headTimeoutMs"
  | "webSocket"
  | "writeTimeoutMs"
  | "connectionRequests"
  | "server"
  | "hsts"
  | "forwarding"
  | "proxyProtocol"
>;

const HEAD_BYTES = 262_144;

export function edgeSettings(plan: Plan): EdgeSettings {
  return {
    limits: {
      requestLine: plan.limitRequestLine,
      fields: plan.limitRequestFields,
      fieldSize: plan.limitRequestFieldSize,
      headBytes: HEAD_BYTES,
      underscores: plan.headerMap,
    },
    keepAliveMs: plan.keepAliveMs,
    headTimeoutMs: plan.headerTimeoutMs,
    webSocket: plan.webSocket,
    writeTimeoutMs: plan.writeTimeoutMs,
    connectionRequests: plan.limitConnectionRequests,
    server: plan.serverHeader ? "maitred" : "",
    hsts: plan.hsts,
    forwarding: plan.forwarding,
    proxyProtocol: plan.proxyProtocol,
  };
}

export function bodySettings(plan: Plan): Omit<BodyLimits, "spool" | "gatheredBytes"> {
  return {
    maxBytes: plan.limitRequestBody,
    memoryBytes: plan.bodyMemory,
    timeoutMs: plan.bodyTimeoutMs,
    minRate: plan.minBodyRate,
    buffering: plan.requestBuffering,
  };
}
