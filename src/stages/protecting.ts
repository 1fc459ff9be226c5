/** The stages that protect a route, in their order. Two lists: other rooms' stages (error pages, maintenance) stand between them. */
import type { ProtectionSettings } from "../config/sites/protection.ts";
import type { Peer } from "../http/exchange.ts";
import type { Stage } from "../http/handler.ts";
import { restricting } from "./access.ts";
import { canonical } from "./canonical.ts";
import { sharing } from "./cors.ts";
import { limiting, type LimitsContext } from "./limits.ts";
import { allowingMethods } from "./methods.ts";
import { namingRequests } from "./request-id.ts";
import { settingRequestHeaders } from "./request-headers.ts";
import { settingHeaders } from "./response-headers.ts";
import { rewriting } from "./rewrite.ts";

export interface ProtectionContext extends LimitsContext {
  /** It is a trusted proxy, or one speaks for it. */
  readonly trusts: (peer: Peer) => boolean;
}

/** Which route it is: its name for the log, and what of it a new configuration does not change. */
export interface RouteOwner {
  readonly name: string;
  readonly where: string;
}

/** What every answer of the route passes, the errors of all other stages too. */
export function dressingStages(settings: ProtectionSettings, { trusts }: ProtectionContext): Stage[] {
  const { requestId, headers, cors, canonical: one } = settings;
  const stages: Stage[] = [];
  if (requestId !== null) stages.push(namingRequests(requestId, trusts));
  if (headers !== null) stages.push(settingHeaders(headers));
  if (one !== null) stages.push(canonical(one));
  if (cors !== null) stages.push(sharing(cors));
  return stages;
}

/** Who gets in, and as what. */
export function guardingStages(settings: ProtectionSettings, owner: RouteOwner, context: ProtectionContext): Stage[] {
  const { access, limits, allowMethods, requestHeaders, rewrite } = settings;
  const stages: Stage[] = [];
  if (access.length > 0) stages.push(restricting(access));
  if (limits.length > 0) stages.push(limiting(limits, owner, context));
  if (allowMethods.length > 0) stages.push(allowingMethods(allowMethods));
  if (requestHeaders !== null) stages.push(settingRequestHeaders(requestHeaders));
  if (rewrite !== null) stages.push(rewriting(rewrite));
  return stages;
}
