/** From what `--pool` said to whole pools: what was not said comes from the main pool, as far as it is about the same application. */
import type { Plan, PoolPlan } from "./plan.ts";
import type { PoolSpec } from "./pool-spec.ts";
import { sizingOf, type Elasticity } from "./worker-count.ts";

/** What a pool can take from the main one. */
export type MainPool = Omit<
  PoolPlan,
  "name" | "patterns" | "mount" | "workers" | "workersReason" | "sizing" | "withoutGil"
>;

export interface Pools {
  readonly pools: readonly PoolPlan[];
  readonly mistakes: readonly string[];
}

export function poolsOf(
  specs: readonly PoolSpec[],
  main: MainPool,
  automatic: { readonly workers: number; readonly reason: string },
  elasticity: Elasticity,
): Pools {
  const mistakes: string[] = [];
  const owners = new Map<string, string>();
  const names = new Set<string>();
  for (const spec of specs) {
    const { name, patterns, workerClass, interface: asked } = spec;
    if (names.has(name)) mistakes.push(`--pool ${name} is given twice: name all its paths in one, separated by commas`);
    names.add(name);
    for (const { text, literal, isExact } of patterns) {
      const key = literal === null ? text : `${literal}${isExact ? "$" : ""}`;
      const owner = owners.get(key);
      if (owner !== undefined) mistakes.push(`--pool ${name} and --pool ${owner} both have ${text}`);
      owners.set(key, name);
    }
    const implied = impliedInterface(workerClass);
    if (implied !== null && asked !== undefined && asked !== "auto" && asked !== implied)
      mistakes.push(`${labelOf(spec)} has an interface and a worker-class that contradict each other`);
  }
  return { pools: specs.map((spec) => poolOf(spec, main, automatic, elasticity)), mistakes };
}

// Private

function poolOf(
  spec: PoolSpec,
  main: MainPool,
  automatic: { readonly workers: number; readonly reason: string },
  elasticity: Elasticity,
): PoolPlan {
  const isSameApp = spec.app === undefined || spec.app === main.app;
  const kind = impliedInterface(spec.workerClass) ?? spec.interface;
  const mount = spec.mountAt ?? (spec.mount === true ? (spec.patterns[0]?.literal ?? "") : "");
  const count = spec.workers ?? 1;
  const gevent = spec.workerClass === "gevent" || (kind === undefined && isSameApp && main.gevent);
  const inherited = isSameApp && spec.workerClass === undefined ? main.threads : 1;
  const threads = spec.threads ?? (spec.workerClass === "gthread" ? 4 : inherited);
  const { workers, sizing } = sizingOf(count, automatic.workers, elasticity);
  return {
    name: spec.name,
    patterns: spec.patterns,
    mount,
    app: spec.app ?? main.app,
    factory: spec.factory ?? (isSameApp && main.factory),
    interface: kind ?? (isSameApp ? main.interface : "auto"),
    interfaceFrom: kind !== undefined ? labelOf(spec) : isSameApp ? main.interfaceFrom : "",
    workers,
    sizing,
    workersReason:
      count === "auto"
        ? automatic.reason
        : spec.workers === undefined
          ? "default of a pool"
          : labelOf(spec).replace(/ .*/, ""),
    threads: gevent ? 1 : threads,
    gevent,
    // A pool is as large as it was made, whatever its Python can do.
    withoutGil: { workers, threads: gevent ? 1 : threads },
    workerConnections: spec.workerConnections ?? main.workerConnections,
    rootPath: main.rootPath + mount,
    timeoutMs: spec.timeoutMs ?? main.timeoutMs,
    queueSize: spec.queueSize ?? main.queueSize,
    queueTimeoutMs: spec.queueTimeoutMs ?? main.queueTimeoutMs,
  };
}

/** How the operator wrote it: a pool of the configuration file has no paths of its own. */
function labelOf({ name, patterns }: PoolSpec): string {
  return patterns.length > 0 ? `--pool ${name}` : `pools.${name}`;
}

function impliedInterface(workerClass: PoolSpec["workerClass"]): Plan["interface"] | null {
  return workerClass === undefined ? null : workerClass === "asgi" ? "asgi" : "wsgi";
}
