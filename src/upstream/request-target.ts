/** What an upstream is asked for: the client's path, without the prefix that is ours, behind the upstream's own. Pure. */
import { decodePathLatin1 } from "../http/target.ts";

/** Why a request cannot go on. */
export class BadTarget {
  readonly status: number;
  readonly reason: string;

  constructor(status: number, reason: string) {
    this.status = status;
    this.reason = reason;
  }
}

/**
 * A segment "..", in whatever spelling a server behind may read it: percent-encoded, with a backslash, with parameters ("..;"). The upstream would
 * walk out of the path that the route is for. Who means well does not send it: clients resolve it themselves (RFC 3986 section 5.2.4).
 */
const CLIMBS = /(?:^|[/\\])\.\.(?:[/\\;]|$)/;

/** Path and query for the request line; `path` is the request's, still encoded. */
export function upstreamTarget(path: string, query: string, stripPrefix: string, basePath: string): string | BadTarget {
  if (!path.startsWith("/")) return new BadTarget(400, `its target ${path} is no path`);
  if (CLIMBS.test(decodePathLatin1(path))) return new BadTarget(400, "its path has a .. segment");
  const rest = stripPrefix === "" ? path : withoutPrefix(path, stripPrefix);
  if (rest === null) return new BadTarget(404, `its path does not begin with strip-prefix ${stripPrefix}`);
  return basePath + rest + (query === "" ? "" : `?${query}`);
}

/** The path below the prefix. Segments are compared decoded, as the route's pattern was; null where it is not below it. */
function withoutPrefix(path: string, prefix: string): string | null {
  const count = prefix.split("/").length;
  const segments = path.split("/");
  if (decodePathLatin1(segments.slice(0, count).join("/")) !== prefix) return null;
  return `/${segments.slice(count).join("/")}`;
}
