/** Another path for whoever answers (`rewrite` in the configuration). Which route a request has was decided by the path that the client sent. */
import type { RewritePlan, RewriteRule } from "../config/sites/rewrite.ts";
import { canonicalPath } from "../http/canonical-path.ts";
import type { Stage } from "../http/handler.ts";

export interface Rewritten {
  readonly path: string;
  readonly query: string;
}

export function rewriting(plan: RewritePlan): Stage {
  return (next) => (exchange) => {
    const { head } = exchange;
    const { path, query } = rewrite(plan, head.path, head.query);
    if (path !== head.path || query !== head.query) exchange.head = { ...head, path, query };
    next(exchange);
  };
}

/** `*` (the asterisk-form) is no path and stays. */
export function rewrite({ stripPrefix, addPrefix, rules }: RewritePlan, path: string, query: string): Rewritten {
  if (!path.startsWith("/")) return { path, query };
  let now = canonicalPath(path);
  let more = query;
  if (stripPrefix !== "" && (now === stripPrefix || now.startsWith(`${stripPrefix}/`)))
    now = now.slice(stripPrefix.length) || "/";
  for (const rule of rules) {
    const match = rule.pattern.exec(now);
    if (match === null) continue;
    const [target, own] = splitTarget(replaced(rule, match));
    now = target;
    // As in nginx: the request's query follows that of the target.
    if (own !== null) more = own === "" || query === "" ? own || query : `${own}&${query}`;
    break;
  }
  now = addPrefix === "" ? now : now === "/" ? `${addPrefix}/` : addPrefix + now;
  return { path: now, query: more };
}

// Private

function replaced({ to }: RewriteRule, match: RegExpExecArray): string {
  return to.replace(
    /\$(?:(\$)|(\d)|\{(\w+)\})/g,
    (_whole, dollar, digit: string | undefined, name: string | undefined) => {
      if (dollar !== undefined) return "$";
      return (digit === undefined ? match.groups?.[name!] : match[Number(digit)]) ?? "";
    },
  );
}

function splitTarget(target: string): readonly [string, string | null] {
  const at = target.indexOf("?");
  return at === -1 ? [target, null] : [target.slice(0, at), target.slice(at + 1)];
}
