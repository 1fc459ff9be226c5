/** What protects a route, and what it says and changes in header fields: the part of a route's settings that the room `stages` obeys. */
import type { AccessPlan } from "./access.ts";
import type { AuthRequestPlan } from "./auth-request.ts";
import type { BasicAuthPlan } from "./basic-auth.ts";
import type { CanonicalPlan } from "./canonical.ts";
import type { CorsPlan } from "./cors.ts";
import type { HeadersPlan, RequestHeadersPlan } from "./headers.ts";
import type { LimitPlan } from "./limits.ts";
import type { MethodsPlan } from "./methods.ts";
import type { RequestIdPlan } from "./request-id.ts";
import type { RewritePlan } from "./rewrite.ts";

/** null or an empty list: nothing of that kind. */
export interface ProtectionSettings {
  readonly requestId: RequestIdPlan | null;
  readonly canonical: CanonicalPlan | null;
  readonly headers: HeadersPlan | null;
  readonly cors: CorsPlan | null;
  readonly access: AccessPlan;
  readonly limits: readonly LimitPlan[];
  readonly allowMethods: MethodsPlan;
  readonly basicAuth: BasicAuthPlan | null;
  readonly authRequest: AuthRequestPlan | null;
  /** `any`: who may come by address need not authenticate, and the other way round. */
  readonly satisfy: "all" | "any";
  readonly requestHeaders: RequestHeadersPlan | null;
  readonly rewrite: RewritePlan | null;
}

export const NO_PROTECTION: ProtectionSettings = {
  requestId: null,
  canonical: null,
  headers: null,
  cors: null,
  access: [],
  limits: [],
  allowMethods: [],
  basicAuth: null,
  authRequest: null,
  satisfy: "all",
  requestHeaders: null,
  rewrite: null,
};
