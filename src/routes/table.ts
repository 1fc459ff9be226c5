/**
 * Where a request goes, by its path: the most specific pattern decides, whatever the order they were given in; what none matches goes to the fallback.
 * Pure, and of any kind of destination: worker pools today.
 */
import { decodePathUtf8 } from "../http/target.ts";
import { bySpecificity, matches, type PathPattern } from "../http/path-pattern.ts";

export interface Route<T> {
  readonly pattern: PathPattern;
  readonly destination: T;
}

export class RouteTable<T> {
  readonly #exact = new Map<string, T>();
  readonly #others: readonly Route<T>[];
  readonly #fallback: T;

  constructor(routes: readonly Route<T>[], fallback: T) {
    this.#fallback = fallback;
    const others: Route<T>[] = [];
    for (const route of routes) {
      const { literal, isExact } = route.pattern;
      if (isExact && literal !== null) this.#exact.set(literal, route.destination);
      else others.push(route);
    }
    this.#others = others.toSorted((a, b) => bySpecificity(a.pattern, b.pattern));
  }

  /** `path` as the client sent it, without its query. */
  find(path: string): T {
    const decoded = path.includes("%") ? decodePathUtf8(path) : path;
    const exact = this.#exact.get(decoded);
    if (exact !== undefined) return exact;
    const others = this.#others;
    for (let i = 0; i < others.length; i++) if (matches(others[i]!.pattern, decoded)) return others[i]!.destination;
    return this.#fallback;
  }
}
