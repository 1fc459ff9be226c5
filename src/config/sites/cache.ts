/** How the response cache of a route is written in the configuration file. */
import { z } from "zod";
import { parseRange } from "../../http/ip-address.ts";
import { cacheDefaults, type CachePlan } from "./cache-plan.ts";
import { size, someTimeSpan, timeSpan } from "./fields.ts";

const name = z
  .string()
  .regex(/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+(?:=.*)?$/, 'is not a name or NAME=VALUE ("*" stands for any characters)');
const names = z.array(name);
const address = z.string().refine((text) => text === "unix" || parseRange(text) !== null, {
  message: 'is not an address, a range ("10.0.0.0/8") or "unix"',
});

const table = z.strictObject({
  anonymous: z
    .boolean()
    .optional()
    .describe("Answer only visitors without a session from the cache (see `session-cookies`)."),
  "session-cookies": names
    .optional()
    .describe("Cookies that make a visitor somebody: who passes by under `anonymous`, and fills nothing by `ttl`."),
  ttl: timeSpan.optional().describe("How long a response is kept that does not say it itself. 0: not at all."),
  heuristic: timeSpan
    .optional()
    .describe(
      "Where only Last-Modified is given, a tenth of its age is how long a response is kept, at most this. 0: not at all.",
    ),
  "stale-while-revalidate": timeSpan
    .optional()
    .describe(
      "So long a response may be given after its time, while it is asked for anew, where it does not say it itself.",
    ),
  "stale-if-error": timeSpan
    .optional()
    .describe(
      "So long a response may be given after its time when the application fails, where it does not say it itself.",
    ),
  "stale-if-down": timeSpan
    .optional()
    .describe("So long a response may be given after its time while the application cannot be reached at all."),
  "max-object": size.optional().describe("A larger response is not kept."),
  "bypass-cookies": names.optional().describe("Requests with such a cookie pass by the cache."),
  "bypass-headers": names.optional().describe("Requests with such a field pass by the cache."),
  "bypass-query": names.optional().describe("Requests with such a query parameter pass by the cache."),
  "key-cookies": names.optional().describe("Cookies whose value tells responses apart."),
  "key-headers": names.optional().describe("Request fields whose value tells responses apart."),
  "ignore-query": names
    .optional()
    .describe('Query parameters that do not tell responses apart: ["utm_*", "fbclid"]; ["*"]: none does.'),
  "sort-query": z.boolean().optional().describe("The order of query parameters does not tell responses apart."),
  "set-cookie": z
    .enum(["pass", "store", "strip"])
    .optional()
    .describe("A response with Set-Cookie is not kept (pass), kept as it is (store), or kept without it (strip)."),
  "request-directives": z.boolean().optional().describe("Obey Cache-Control of requests (a browser's reload)."),
  coalesce: z.boolean().optional().describe("Requests for the same response wait for one of them."),
  "status-header": z.boolean().optional().describe("Say in Cache-Status (RFC 9211) what the cache did."),
  "keep-tags": z.boolean().optional().describe("Surrogate-Key and Cache-Tag go on to the client."),
  "purge-from": z
    .array(address)
    .optional()
    .describe('Addresses whose PURGE requests are obeyed; "unix": Unix sockets.'),
});

const ANONYMOUS = /^anonymous\s+(\S+)$/i;

/** `true`, "anonymous 5s", or a table. */
export const cacheSettings: z.ZodType<CachePlan> = z.union([
  z.literal(true).transform(() => cacheDefaults),
  z.string().transform((text, context) => {
    const span = ANONYMOUS.exec(text)?.[1];
    const parsed = span === undefined ? null : someTimeSpan.safeParse(span);
    if (parsed?.success === true) return anonymousFor(parsed.data);
    context.addIssue({
      code: "custom",
      message: 'is not what a cache can be: write true, false, a table, or "anonymous 5s" (a time span)',
    });
    return z.NEVER;
  }),
  table.transform(planOf),
]);

/** Microcaching: whoever is nobody in particular gets the same page for a moment, whatever the app does not say about it. */
function anonymousFor(ttlMs: number): CachePlan {
  return { ...cacheDefaults, anonymous: true, ttlMs, staleWhileRevalidateMs: ttlMs, requestDirectives: false };
}

function planOf(given: z.output<typeof table>): CachePlan {
  const own = cacheDefaults;
  return {
    anonymous: given.anonymous ?? own.anonymous,
    sessionCookies: given["session-cookies"] ?? own.sessionCookies,
    ttlMs: given.ttl ?? own.ttlMs,
    heuristicMs: given.heuristic ?? own.heuristicMs,
    staleWhileRevalidateMs: given["stale-while-revalidate"] ?? own.staleWhileRevalidateMs,
    staleIfErrorMs: given["stale-if-error"] ?? own.staleIfErrorMs,
    staleIfDownMs: given["stale-if-down"] ?? own.staleIfDownMs,
    maxObjectBytes: given["max-object"] ?? own.maxObjectBytes,
    bypassCookies: given["bypass-cookies"] ?? own.bypassCookies,
    bypassHeaders: given["bypass-headers"] ?? own.bypassHeaders,
    bypassQuery: given["bypass-query"] ?? own.bypassQuery,
    keyCookies: given["key-cookies"] ?? own.keyCookies,
    keyHeaders: given["key-headers"] ?? own.keyHeaders,
    ignoreQuery: given["ignore-query"] ?? own.ignoreQuery,
    sortQuery: given["sort-query"] ?? own.sortQuery,
    setCookie: given["set-cookie"] ?? own.setCookie,
    requestDirectives: given["request-directives"] ?? !(given.anonymous ?? false),
    coalesce: given.coalesce ?? own.coalesce,
    statusHeader: given["status-header"] ?? own.statusHeader,
    keepTags: given["keep-tags"] ?? own.keepTags,
    purgeFrom: given["purge-from"] ?? own.purgeFrom,
  };
}
