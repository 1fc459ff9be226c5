/** `limits`: how often and how many at once, per client, per value of a field, or for all together. */
import { z } from "zod";
import { value, wrong, type ValueType } from "../value-types.ts";
import { spelled } from "./fields.ts";

/** Whom a limit counts together. */
export type LimitKey =
  /** A client's address: so many leading bits of it. */
  | { readonly type: "address"; readonly v4Bits: number; readonly v6Bits: number }
  /** The value of a request field or cookie; who sends none counts by address. Lower-case name of a field. */
  | { readonly type: "header" | "cookie"; readonly name: string }
  /** Everyone. */
  | { readonly type: "all" };

export interface LimitPlan {
  /** Routes whose limits have one name count together; null: the route's own. */
  readonly name: string | null;
  readonly key: LimitKey;
  /** As written, for the log: "5/m". */
  readonly rate: { readonly text: string; readonly intervalMs: number } | null;
  /** Requests beyond the rate that are not refused. */
  readonly burst: number;
  /** Of these, how many do not wait; Infinity: none waits. */
  readonly delay: number;
  /** At work at once; 0 = no limit. */
  readonly concurrent: number;
  readonly status: number;
  /** Nothing is refused and nobody waits: only the log tells. */
  readonly isDryRun: boolean;
  /** Responses that pass tell what is left (RateLimit fields), not only refusals. */
  readonly announces: boolean;
  /** Keys that are remembered; past it the one that was not seen for longest is forgotten. */
  readonly entries: number;
}

const UNIT_MS = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** "10/s", "5/m", "100/10m"; nginx's "10r/s" too. */
const rate: ValueType<NonNullable<LimitPlan["rate"]>> = (text) => {
  const match = /^(\d+(?:\.\d+)?)\s*r?\s*\/\s*(\d*)\s*(s|m|h|d)$/.exec(text.trim());
  if (match === null)
    return wrong('is not a rate: write requests and a time ("10/s", "5/m", "100/10m"; units s, m, h, d)');
  const count = Number(match[1]);
  const spanMs = (match[2] === "" ? 1 : Number(match[2])) * UNIT_MS[match[3] as keyof typeof UNIT_MS];
  if (count <= 0 || spanMs <= 0) return wrong("is not a rate: nothing would ever pass");
  const intervalMs = spanMs / count;
  return intervalMs > 30 * UNIT_MS.d ? wrong("is less than one request in 30 days") : value({ text, intervalMs });
};

const key: ValueType<Exclude<LimitKey, { type: "address" }> | "address"> = (text) => {
  if (text === "address") return value("address");
  if (text === "all") return value({ type: "all" });
  const match = /^(header|cookie):([!#$%&'*+.^`|~\w-]+)$/.exec(text);
  if (match === null) return wrong('is not what a limit counts by: write address, all, "header:NAME" or "cookie:NAME"');
  const type = match[1] as "header" | "cookie";
  return value({ type, name: type === "header" ? match[2]!.toLowerCase() : match[2]! });
};

const limit: z.ZodType<LimitPlan> = z
  .strictObject({
    name: z
      .string()
      .regex(/^[a-z][\w-]{0,63}$/i, "is no name: write letters, digits, - and _")
      .optional()
      .describe(
        "Limits of one name count together, in whichever routes they stand; without one each route counts alone",
      ),
    by: spelled(key)
      .default("address")
      .describe('Whom it counts together: address, all, "header:NAME" or "cookie:NAME"'),
    rate: spelled(rate).optional().describe('How often: "10/s", "5/m", "100/10m"'),
    burst: z.int().min(0).max(1_000_000).default(0).describe("Requests beyond the rate that are not refused"),
    delay: z
      .int()
      .min(0)
      .optional()
      .describe(
        "Of the burst, how many pass at once; the others wait until they are within the rate. As in nginx, 0 unless given",
      ),
    nodelay: z.boolean().default(false).describe("The whole burst passes at once"),
    concurrent: z.int().min(1).optional().describe("How many at once: at work or open (WebSockets)"),
    status: z.int().min(400).max(599).default(429).describe("What the refused get"),
    "dry-run": z.boolean().default(false).describe("Refuses and delays nobody: the log tells what it would do"),
    announce: z
      .boolean()
      .default(false)
      .describe("Every response tells what is left (RateLimit, RateLimit-Policy); refusals always do"),
    entries: z.int().min(16).max(10_000_000).default(65_536).describe("How many clients (or values) are remembered"),
    "ipv4-prefix": z
      .int()
      .min(1)
      .max(32)
      .default(32)
      .describe("Leading bits of an IPv4 address that count as one client"),
    "ipv6-prefix": z
      .int()
      .min(1)
      .max(128)
      .default(64)
      .describe("Leading bits of an IPv6 address that count as one client"),
  })
  .transform((table, context): LimitPlan => {
    const complain = (message: string): never => {
      context.addIssue({ code: "custom", message });
      return z.NEVER;
    };
    if (table.rate === undefined && table.concurrent === undefined)
      return complain('limits nothing: give rate ("10/s") or concurrent');
    if (table.rate === undefined && (table.burst > 0 || table.delay !== undefined || table.nodelay))
      return complain("has burst, delay or nodelay without rate");
    if (table.nodelay && table.delay !== undefined) return complain("has delay and nodelay: give one");
    return {
      name: table.name ?? null,
      key:
        table.by === "address"
          ? { type: "address", v4Bits: table["ipv4-prefix"], v6Bits: table["ipv6-prefix"] }
          : table.by,
      rate: table.rate ?? null,
      burst: table.burst,
      delay: table.nodelay ? Infinity : (table.delay ?? 0),
      concurrent: table.concurrent ?? 0,
      status: table.status,
      isDryRun: table["dry-run"],
      announces: table.announce,
      entries: table.entries,
    };
  });

export const limitsSettings: z.ZodType<readonly LimitPlan[]> = z
  .union([limit.transform((one) => [one]), z.array(limit).max(32)])
  .describe("Limits of rate and of concurrency: all of them hold");

/** What contradicts itself among all limits: those of one name share what they count, so they must count the same. As sentences. */
export function limitMistakes(
  all: Iterable<{ readonly where: string; readonly limits: readonly LimitPlan[] }>,
): string[] {
  const named = new Map<string, { readonly where: string; readonly limit: LimitPlan }>();
  const mistakes: string[] = [];
  for (const { where, limits } of all) {
    for (const each of limits) {
      if (each.name === null) continue;
      const first = named.get(each.name);
      if (first === undefined) named.set(each.name, { where, limit: each });
      else if (counting(first.limit) !== counting(each))
        mistakes.push(
          `${where}: the limit ${each.name} counts something else than in ${first.where}: limits of one name share by, rate, entries and prefixes`,
        );
    }
  }
  return mistakes;
}

function counting({ key: by, rate: pace, entries }: LimitPlan): string {
  return JSON.stringify([by, pace?.intervalMs, entries]);
}
