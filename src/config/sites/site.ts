/** A site of the configuration: the host names it has, and its routes. */
import type { RoutePlan, RouteSettings } from "./route.ts";

export interface SitePlan {
  /** For logs and messages: its first host and where it was written; "the default site". */
  readonly name: string;
  /** Lower-case host names without port, `*.example.com` for all below; empty: the default site, for all names that are nobody's. */
  readonly hosts: readonly string[];
  /** The most specific pattern decides, whatever their order; what none matches goes to the main pool. */
  readonly routes: readonly RoutePlan[];
  /** What holds for a request that none of the routes is for. */
  readonly settings: RouteSettings;
}

/** Some route of these sites leads to another server. */
export function leadToUpstreams(sites: readonly SitePlan[]): boolean {
  return sites.some(({ routes }) => routes.some(({ destination }) => destination.type === "upstream"));
}
