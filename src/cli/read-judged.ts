/**
 * What readAll gives, with the certificates judged too: whether they can be served is known to the edge, whose code is loaded only where there are
 * some. So a mistake in them stands in one report with all others. What else such a plan needs of our code is loaded too, while it can still be refused.
 */
import { systemClock } from "../clock.ts";
import { type AllRead, readAll } from "../config/read-all.ts";
import { inOrder } from "../config/read-plan.ts";
import type { Environment } from "../config/resolve.ts";
import { leadToUpstreams } from "../config/sites/site.ts";

/** What was read, and what else there is to say about it: certificates that end soon. */
export interface JudgedRead extends AllRead {
  readonly remarks: readonly string[];
}

/** `isServing`: they are served already; one that has expired since is no reason to refuse a new configuration. */
export async function readJudged(
  argv: readonly string[],
  env: Environment,
  cwd: string,
  isServing: boolean,
): Promise<JudgedRead> {
  const read = await readAll(argv, env, cwd);
  const { result, configuration } = read;
  if (result.type === "plan" && leadToUpstreams(result.plan.sites)) await import("../upstream/upstream.ts");
  if ((result.type !== "plan" && result.type !== "mistakes") || result.tls === null) return { ...read, remarks: [] };
  const { plan, certificates, authorities, ciphers } = result.tls;
  const { judgedSet } = await import("../edge/tls/certificate-set.ts");
  const { expiryOf } = await import("../edge/tls/key-pair.ts");
  const now = systemClock.wall();
  const { troubles, pairs } = judgedSet(plan, isServing ? null : now);
  const remarks = pairs.flatMap((pair) => expiryOf(pair, now)?.text ?? []);
  const wrong = troubles.map(({ about, at, why }) => {
    const place = about === "certificate" ? (certificates[at] ?? "") : about === "authorities" ? authorities : ciphers;
    return `${place}${why}`;
  });
  if (wrong.length === 0) return { ...read, remarks };
  const others = result.type === "mistakes" ? result.mistakes : [];
  const mistakes = inOrder([...new Set([...others, ...wrong])], configuration?.name ?? null);
  return { result: { type: "mistakes", mistakes, tls: result.tls }, configuration, remarks };
}
