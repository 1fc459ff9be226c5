/** Folders whose files are served: what `--static` says, as routes; and where each folder is. */
import type { PathPattern } from "../http/path-pattern.ts";
import type { HostFacts } from "./host-facts.ts";
import type { AccelFolder } from "./named-files.ts";
import { NO_SETTINGS, type Destination, type RoutePlan, type RouteSettings } from "./sites/route.ts";
import type { SitePlan } from "./sites/site.ts";
import { staticDefaults } from "./static-plan.ts";
import type { StaticSpec } from "./static-spec.ts";

export interface FilesPlan {
  /** Django's own folders are served as well. */
  readonly isAuto: boolean;
  /** Folders that the app may name by X-Accel-Redirect, and by X-Sendfile. */
  readonly accel: readonly AccelFolder[];
  readonly sendfileRoots: readonly string[];
}

/** Routes of the default site. */
export function staticRoutes(specs: readonly StaticSpec[]): readonly RoutePlan[] {
  return specs.flatMap((spec) => {
    if (spec.type === "auto") return [];
    const { pattern, folder } = spec;
    const match = { pattern, methods: [], headers: [] };
    const destination: Destination = { type: "static", ...staticDefaults, root: folder, prefix: "" };
    return { name: `${pattern.text} (--static)`, at: null, match, destination, settings: NO_SETTINGS };
  });
}

/**
 * The sites with absolute paths to their folders; whether those of the file can be read, judged-paths.ts says.
 * A path may also name one file, which then answers all requests of its route.
 */
export function placedFolders(
  sites: readonly SitePlan[],
  fromChdir: (path: string) => string,
  host: HostFacts,
): { readonly sites: readonly SitePlan[]; readonly mistakes: readonly string[] } {
  const mistakes: string[] = [];
  const placed = (route: RoutePlan): RoutePlan => {
    const { destination, match } = route;
    if (destination.type !== "static") return route;
    const path = fromChdir(destination.root).replace(/(?<=.)\/+$/, "");
    if (host.isDirectory(path))
      return { ...route, destination: { ...destination, root: path, prefix: prefixOf(match.pattern) } };
    if (!host.isFile(path) && route.at === null) mistakes.push(`${route.name}: there is no folder ${path} to serve`);
    const at = path.lastIndexOf("/");
    return { ...route, destination: { ...destination, root: path.slice(0, at) || "/", file: path.slice(at + 1) } };
  };
  const named = (settings: RouteSettings): RouteSettings => ({
    ...settings,
    accel: settings.accel?.map(({ prefix, root }) => ({ prefix, root: fromChdir(root) })) ?? null,
    sendfileRoots: settings.sendfileRoots?.map(fromChdir) ?? null,
  });
  return {
    sites: sites.map((site) => ({
      ...site,
      settings: named(site.settings),
      routes: site.routes.map((route) => placed({ ...route, settings: named(route.settings) })),
    })),
    mistakes,
  };
}

// Private

/** Of an exact pattern, or one with asterisks, there is no part that stands for the folder. */
function prefixOf({ literal, isExact }: PathPattern): string {
  return literal === null || isExact ? "" : literal;
}
