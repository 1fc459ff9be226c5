/**
 * A route of the configuration: which requests it is for, who answers them, and what they pass on the way. Each subject has its own file beside
 * this one, with the interface that the Plan holds and the schema that reads it; here they are put together, and in schema.ts their schemas.
 */
import type { PathPattern } from "../../http/path-pattern.ts";
import type { AccelFolder } from "../named-files.ts";
import type { StaticPlan } from "../static-plan.ts";
import { NO_PROTECTION, type ProtectionSettings } from "./protection.ts";
import type { MaintenancePlan } from "../maintenance.ts";
import type { ErrorPagesPlan } from "../error-pages.ts";
import type { CompressionPlan } from "../compression.ts";
import type { CachePlan } from "./cache-plan.ts";
import type { RedirectPlan } from "./redirect.ts";
import type { RespondPlan } from "./respond.ts";
import type { UpstreamPlan } from "./upstream.ts";

/** Which requests a route is for; all of it must hold. */
export interface RouteMatch {
  readonly pattern: PathPattern;
  /** Upper-case; empty for all. */
  readonly methods: readonly string[];
  /** Fields that the request must have, with that value, or with any (null). Lower-case names. */
  readonly headers: readonly { readonly name: string; readonly value: string | null }[];
}

/** Who answers. */
export type Destination =
  /** A pool of workers, by its name. */
  | { readonly type: "app"; readonly pool: string }
  | ({ readonly type: "static" } & StaticPlan)
  | ({ readonly type: "redirect" } & RedirectPlan)
  | ({ readonly type: "respond" } & RespondPlan)
  /** Another HTTP/1.1 server. */
  | { readonly type: "upstream"; readonly upstream: UpstreamPlan };

/** What requests and responses pass; null or an empty list: nothing of that kind. */
export interface RouteSettings extends ProtectionSettings {
  /** A request at work longer than this ends with 504; 0 = no limit, null = as the pool. */
  readonly timeoutMs: number | null;
  /** Request body in bytes; 0 = no limit, null = as everywhere. */
  readonly limitRequestBody: number | null;
  /** Whether a request waits for its whole body; null = as everywhere. */
  readonly requestBuffering: "auto" | "on" | "off" | null;
  /** null: it serves. */
  readonly maintenance: MaintenancePlan | null;
  /** null: the built-in ones. */
  readonly errorPages: ErrorPagesPlan | null;
  /** Folders that the app may name by X-Accel-Redirect; null = as everywhere (--accel). */
  readonly accel: readonly AccelFolder[] | null;
  /** Folders that the app may name by X-Sendfile; null = as everywhere (--sendfile-root). */
  readonly sendfileRoots: readonly string[] | null;
  /** null = as everywhere (--compress). */
  readonly compression: CompressionPlan | "off" | null;
  /** The response cache; null = as everywhere (--cache). */
  readonly cache: CachePlan | "off" | null;
}

export interface RoutePlan {
  /** For logs and messages: its path and where it was written, "/static (maitred.toml:12)". */
  readonly name: string;
  /** Its number among the routes of its site in the file; null: it stands in no file (`--pool`). */
  readonly at: number | null;
  readonly match: RouteMatch;
  readonly destination: Destination;
  readonly settings: RouteSettings;
}

/** Where nothing was asked for. */
export const NO_SETTINGS: RouteSettings = {
  ...NO_PROTECTION,
  timeoutMs: null,
  limitRequestBody: null,
  requestBuffering: null,
  errorPages: null,
  accel: null,
  sendfileRoots: null,
  maintenance: null,
  compression: null,
  cache: null,
};
