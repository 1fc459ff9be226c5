/** Files that upstreams need: the certificates that are trusted. */
import type { HostFacts } from "./host-facts.ts";
import type { RoutePlan } from "./sites/route.ts";
import type { SitePlan } from "./sites/site.ts";

/** The sites with absolute paths to these files. */
export function placedAuthorities(
  sites: readonly SitePlan[],
  fromChdir: (path: string) => string,
  host: HostFacts,
): { readonly sites: readonly SitePlan[]; readonly mistakes: readonly string[] } {
  const mistakes: string[] = [];
  const placed = (route: RoutePlan): RoutePlan => {
    const { destination } = route;
    if (destination.type !== "upstream" || destination.upstream.tls.caFile === null) return route;
    const { upstream } = destination;
    const caFile = fromChdir(destination.upstream.tls.caFile);
    if (!host.isFile(caFile)) mistakes.push(`${route.name}: there is no file ${caFile} (upstream.tls.ca)`);
    return { ...route, destination: { ...destination, upstream: { ...upstream, tls: { ...upstream.tls, caFile } } } };
  };
  return { sites: sites.map((site) => ({ ...site, routes: site.routes.map(placed) })), mistakes };
}
