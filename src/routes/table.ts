/**
 * Where a request goes on its site, by its path, method and fields: the most specific pattern decides, whatever the order they were given in; of one
 * pattern's routes, the one that asks for more. What none matches goes to the fallback. Pure, and of any kind of destination.
 */
import { bySpecificity, matches, type PathPattern } from "../http/path-pattern.ts";
import type { RequestHead } from "../http/request-head.ts";
import { decodePathUtf8 } from "../http/target.ts";

export interface Route<T> {
  readonly pattern: PathPattern;
  /** What the request must be like beside its path. */
  readonly condition?: Condition | null;
  readonly destination: T;
}

/** All of it must hold. */
export interface Condition {
  /** Upper-case; empty: any. */
  readonly methods: readonly string[];
  /** Lower-case names; null: any value. */
  readonly headers: readonly { readonly name: string; readonly value: string | null }[];
}

export class RouteTable<T> {
  /** Literal exact paths, each with its routes, those with conditions first. */
  readonly #exact = new Map<string, readonly Route<T>[]>();
  readonly #others: readonly Route<T>[];
  readonly #fallback: T;

  constructor(routes: readonly Route<T>[], fallback: T) {
    this.#fallback = fallback;
    const others: Route<T>[] = [];
    for (const route of routes.toSorted(byConditions)) {
      const { literal, isExact } = route.pattern;
      if (isExact && literal !== null) this.#exact.set(literal, [...(this.#exact.get(literal) ?? []), route]);
      else others.push(route);
    }
    this.#others = others.toSorted((a, b) => bySpecificity(a.pattern, b.pattern));
  }

  find(head: RequestHead): T {
    const { path } = head;
    return this.at(path.includes("%") ? decodePathUtf8(path) : path, head);
  }

  /** Where such a request would go with this path, decoded. */
  at(decoded: string, head: RequestHead): T {
    const exact = this.#exact.get(decoded);
    if (exact !== undefined) for (const route of exact) if (meets(head, route.condition)) return route.destination;
    const others = this.#others;
    for (let i = 0; i < others.length; i++) {
      const route = others[i]!;
      if (matches(route.pattern, decoded) && meets(head, route.condition)) return route.destination;
    }
    return this.#fallback;
  }
}

/** The order in which routes of one site are tried. */
export function inOrder<T extends { readonly pattern: PathPattern; readonly condition?: Condition | null }>(
  routes: readonly T[],
): T[] {
  return routes.toSorted(byConditions).toSorted((a, b) => bySpecificity(a.pattern, b.pattern));
}

// Private

function byConditions(
  a: { readonly condition?: Condition | null },
  b: { readonly condition?: Condition | null },
): number {
  return conditions(b.condition) - conditions(a.condition);
}

function conditions(condition: Condition | null | undefined): number {
  if (condition === null || condition === undefined) return 0;
  return condition.headers.length * 2 + (condition.methods.length > 0 ? 1 : 0);
}

function meets(head: RequestHead, condition: Condition | null | undefined): boolean {
  if (condition === null || condition === undefined) return true;
  const { methods, headers } = condition;
  // HEAD is GET without its body (RFC 9110 section 9.3.2): what is for the one is for the other.
  if (methods.length > 0 && !methods.includes(head.method) && !(head.method === "HEAD" && methods.includes("GET")))
    return false;
  for (const { name, value } of headers) {
    const found = head.headers.get(name);
    if (found === undefined || (value !== null && found !== value)) return false;
  }
  return true;
}
