/** The stages that protect a route, in their order. Two lists: other rooms' stages (error pages, maintenance) stand between them. */
import type { AccessPlan } from "../config/sites/access.ts";
import type { ProtectionSettings } from "../config/sites/protection.ts";
import type { Peer } from "../http/exchange.ts";
import { fold, type Handler, type Stage } from "../http/handler.ts";
import { isAllowed, restricting } from "./access.ts";
import { askingFirst } from "./auth-request.ts";
import { authenticating } from "./basic-auth.ts";
import { canonical } from "./canonical.ts";
import { sharing } from "./cors.ts";
import { LimitZones } from "./limit-zones.ts";
import { limiting, type LimitsContext } from "./limits.ts";
import { allowingMethods } from "./methods.ts";
import { namingRequests } from "./request-id.ts";
import { PasswordChecker } from "./passwords/password-checker.ts";
import { settingRequestHeaders } from "./request-headers.ts";
import { settingHeaders } from "./response-headers.ts";
import { Users } from "./users.ts";
import { rewriting } from "./rewrite.ts";

export interface ProtectionContext extends LimitsContext {
  /** It is a trusted proxy, or one speaks for it. */
  readonly trusts: (peer: Peer) => boolean;
  readonly passwords: PasswordChecker;
  /** A file's path as it is written, made absolute. */
  readonly pathOf: (written: string) => string;
}

/** The same with what a configuration brings. */
export interface GuardContext extends ProtectionContext {
  /** Takes a stage's own request to its route. */
  readonly subrequest: Handler;
  /** Lower-case names of the fields by which authentication tells whoever answers about the user: no client may send them, on any route. */
  readonly claims: ReadonlySet<string>;
}

/** Made once for the server: what limits and logins remember outlives a configuration. */
export function openProtection(
  outside: Pick<ProtectionContext, "clock" | "log" | "trusts" | "pathOf">,
): ProtectionContext {
  return { ...outside, zones: new LimitZones(), passwords: new PasswordChecker(outside.clock, outside.log) };
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
export function guardingStages(settings: ProtectionSettings, owner: RouteOwner, context: GuardContext): Stage[] {
  const { access, limits, allowMethods, requestHeaders, rewrite } = settings;
  const authentication = authenticationStages(settings, owner, context);
  const isEither = settings.satisfy === "any" && access.length > 0 && authentication.length > 0;
  const guards: Stage[] = [];
  if (access.length > 0 && !isEither) guards.push(restricting(access));
  if (limits.length > 0) guards.push(limiting(limits, owner, context));
  if (allowMethods.length > 0) guards.push(allowingMethods(allowMethods));
  if (isEither) guards.push(satisfyingAny(access, authentication));
  else guards.push(...authentication);
  const stages: Stage[] = [];
  if (context.claims.size > 0) stages.push(settingRequestHeaders({ remove: [...context.claims], set: [] }));
  if (guards.length > 0) stages.push(guardingOutside(guards));
  if (requestHeaders !== null) stages.push(settingRequestHeaders(requestHeaders));
  if (rewrite !== null) stages.push(rewriting(rewrite));
  return stages;
}

/** What authentication on some route tells about users. */
export function claimsOf(all: Iterable<ProtectionSettings>): ReadonlySet<string> {
  const claims = new Set<string>();
  for (const { basicAuth, authRequest } of all) {
    if (basicAuth !== null) claims.add(basicAuth.header.toLowerCase());
    for (const name of authRequest?.copy ?? []) claims.add(name.toLowerCase());
  }
  return claims;
}

// Private

function authenticationStages(
  { basicAuth, authRequest }: ProtectionSettings,
  owner: RouteOwner,
  context: GuardContext,
): Stage[] {
  const { clock, log, pathOf } = context;
  const stages: Stage[] = [];
  if (basicAuth !== null) {
    const { users, file } = basicAuth;
    const all = new Users(users, file === null ? null : pathOf(file), clock, log);
    stages.push(authenticating(basicAuth, owner.name, all, context));
  }
  if (authRequest !== null) stages.push(askingFirst(authRequest, owner.name, context));
  return stages;
}

/**
 * A request of our own, about one that stands here already, passes by all guards, as in nginx: a route with "deny all" is for those alone, and nobody is
 * counted twice.
 */
function guardingOutside(guards: readonly Stage[]): Stage {
  return (next) => {
    const guarded = fold(guards, next);
    return (exchange) => (exchange.head.isSubrequest === true ? next : guarded)(exchange);
  };
}

/** Whom the rules let in passes by the authentication, as nobody. */
function satisfyingAny(access: AccessPlan, authentication: readonly Stage[]): Stage {
  return (next) => {
    const guarded = fold(authentication, next);
    return (exchange) => (isAllowed(access, exchange.peer.address) ? next : guarded)(exchange);
  };
}
