/** A site of the configuration: the host names it has, and its routes. */
import type { RoutePlan } from "./route.ts";

export interface SitePlan {
  /** Lower-case host names without port, `*.example.com` for all below; empty: the default site, for all names that are nobody's. */
  readonly hosts: readonly string[];
  /** The most specific pattern decides, whatever their order; what none matches goes to the main pool. */
  readonly routes: readonly RoutePlan[];
}
