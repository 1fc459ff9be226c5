/**
 * A route of the configuration: which requests it is for, who answers them, and what they pass on the way. Each subject has its own file beside
 * this one, with the interface that the Plan holds and the schema that reads it; here they are put together.
 */
import type { PathPattern } from "../../http/path-pattern.ts";

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
  | { readonly type: "redirect"; readonly to: string; readonly status: number }
  | {
      readonly type: "respond";
      readonly status: number;
      /** Name, value, name, value ... */
      readonly fields: readonly string[];
      readonly body: string;
    };

/** What requests and responses pass; null or an empty list: nothing of that kind. */
export interface RouteSettings {
  /** A request at work longer than this ends with 504; 0 = no limit, null = as the pool. */
  readonly timeoutMs: number | null;
}

export interface RoutePlan {
  /** For logs and messages: its path and where it was written, "/static (maitred.toml:12)". */
  readonly name: string;
  readonly match: RouteMatch;
  readonly destination: Destination;
  readonly settings: RouteSettings;
}
