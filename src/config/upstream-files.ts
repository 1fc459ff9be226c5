/** Files that upstreams need: the certificates that are trusted. */
import type { RoutePlan } from "./sites/route.ts";
import type { SitePlan } from "./sites/site.ts";

/** The sites with absolute paths to these files. Whether they can be read, judged-paths.ts says. */
export function placedAuthorities(
  sites: readonly SitePlan[],
  fromChdir: (path: string) => string,
): readonly SitePlan[] {
  const placed = (route: RoutePlan): RoutePlan => {
    const { destination } = route;
    if (destination.type !== "upstream" || destination.upstream.tls.caFile === null) return route;
    const { upstream } = destination;
    const caFile = fromChdir(destination.upstream.tls.caFile);
    return { ...route, destination: { ...destination, upstream: { ...upstream, tls: { ...upstream.tls, caFile } } } };
  };
  return sites.map((site) => ({ ...site, routes: site.routes.map(placed) }));
}
