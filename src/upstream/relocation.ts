/**
 * Locations of an upstream as the client knows them: its own address becomes the one that the client asked for, its base path the route's prefix.
 * Pure.
 */
import type { UpstreamPlan } from "../config/sites/upstream.ts";

export type RelocationPlan = Pick<UpstreamPlan, "scheme" | "authority" | "basePath" | "stripPrefix">;

/** `client` is scheme and host that the client asked for; where it named no host, locations stay as they are. */
export function relocate(location: string, plan: RelocationPlan, scheme: string, host: string): string {
  const { origin, rest } = split(location);
  if (origin === null) return rest.startsWith("/") ? moved(rest, plan) : location;
  const lower = origin.toLowerCase();
  if (host === "") return location;
  const isOwn = lower === `${plan.scheme}://${plan.authority}`.toLowerCase();
  const isClients = lower === `${scheme}://${host}`.toLowerCase();
  return isOwn || isClients ? `${scheme}://${host}${moved(rest, plan)}` : location;
}

// Private

function split(location: string): { readonly origin: string | null; readonly rest: string } {
  // "//host/path" is another host's (RFC 3986 section 4.2).
  const match = /^([a-z][a-z\d+.-]*:\/\/[^/?#]*)(.*)$/is.exec(location);
  if (match !== null) return { origin: match[1]!, rest: match[2]! };
  return location.startsWith("//") ? { origin: location, rest: "" } : { origin: null, rest: location };
}

function moved(path: string, { basePath, stripPrefix }: RelocationPlan): string {
  if (basePath === "" && stripPrefix === "") return path;
  if (path !== basePath && !path.startsWith(`${basePath}/`) && !path.startsWith(`${basePath}?`)) return path;
  return stripPrefix + path.slice(basePath.length);
}
