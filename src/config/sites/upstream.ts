/** Another HTTP/1.1 server that answers a route: what the Plan holds of it, and how an operator writes it. */
import { z } from "zod";
import { size, timeSpan } from "./fields.ts";
import { addressOf, type UpstreamAddress } from "./upstream-address.ts";

/** Which fields tell the upstream who the client is. */
export type ForwardingStyle = "x-forwarded" | "forwarded" | "both" | "none";

export interface UpstreamPlan extends UpstreamAddress {
  /** Host that the upstream sees: the client's (null), or this. */
  readonly hostHeader: string | null;
  /** Path taken from the front of the client's before it goes on; empty, or "/api" without a slash at its end. */
  readonly stripPrefix: string;
  readonly forwarding: ForwardingStyle;
  /** A connection must stand within this time, a free one of `maxConnections` included; 0 = no limit. */
  readonly connectTimeoutMs: number;
  /** The response's head must come within this time after the request has been sent; 0 = no limit. */
  readonly responseTimeoutMs: number;
  /** Between two pieces of a response's body; 0 = no limit. */
  readonly idleTimeoutMs: number;
  /** A connection without a request is kept for so long; 0 = each carries one request. */
  readonly keepAliveMs: number;
  /** Connections at most; 0 = no limit. */
  readonly maxConnections: number;
  /** Bytes of a response's head at most. */
  readonly maxHeadBytes: number;
  readonly tls: UpstreamTls;
}

/** For https. */
export interface UpstreamTls {
  /** The certificate must be one that is trusted, and the server's. */
  readonly verify: boolean;
  /** The name that is asked for and that the certificate must have; null = the URL's. */
  readonly serverName: string | null;
  /** Path of a file with the certificates that are trusted, PEM; null = Node's own. */
  readonly caFile: string | null;
}

const address = z
  .string()
  .transform((text, context) => {
    const parsed = addressOf(text);
    if (!("why" in parsed)) return parsed;
    context.addIssue({ code: "custom", message: parsed.why });
    return z.NEVER;
  })
  .describe(
    "Where it listens: http://host:port, https://host, or unix:/path; a path behind it is put before each request's.",
  );

const prefix = z
  .string()
  .regex(/^(?:\/[^\s?#%/]+)+\/?$/, 'is no path to take away: write it as "/api"')
  .transform((text) => text.replace(/\/$/, ""))
  .describe("Path taken from the front of the request's before it goes on.");

const host = z
  .string()
  .regex(/^[^\s/?#@]+$/, 'is no host: write "client", "upstream", or a name with an optional port')
  .describe(
    'Host that the upstream sees: "client" (what the client sent), "upstream" (the one of the URL), or a name.',
  );

const tls = z
  .strictObject({
    verify: z.boolean().default(true).describe("The certificate must be one that is trusted, and the server's."),
    "server-name": z
      .string()
      .min(1)
      .nullable()
      .default(null)
      .describe("Name that the certificate must have; else the URL's."),
    ca: z.string().min(1).nullable().default(null).describe("File with the certificates that are trusted, PEM."),
  })
  .transform((raw): UpstreamTls => ({ verify: raw.verify, serverName: raw["server-name"], caFile: raw.ca }));

const NO_TLS: UpstreamTls = { verify: true, serverName: null, caFile: null };

const table = z.strictObject({
  url: address,
  host: host.default("client"),
  "strip-prefix": prefix.optional(),
  forwarding: z
    .enum(["x-forwarded", "forwarded", "both", "none"])
    .default("x-forwarded")
    .describe("Fields that tell it who the client is: X-Forwarded-*, Forwarded (RFC 7239), both, or none."),
  "connect-timeout": timeSpan.default(10_000).describe("A connection must stand within this time; else 504."),
  "response-timeout": timeSpan.default(60_000).describe("The response must begin within this time; else 504."),
  "idle-timeout": timeSpan.default(60_000).describe("Between two pieces of a response; else it is cut."),
  "keep-alive": timeSpan.default(4000).describe("How long a connection without a request is kept."),
  "max-connections": z
    .int()
    .min(0)
    .default(512)
    .describe("Connections to it at most; further requests wait. 0 = no limit."),
  "max-head-size": size.default(65_536).describe("Size of a response's header section at most; else 502."),
  tls: tls.default(NO_TLS).describe("For https."),
});

/** `upstream = "http://127.0.0.1:9000"`, or a table with `url`. */
export const upstreamSettings: z.ZodType<UpstreamPlan> = z
  .union([address.transform((url) => planOf(table.parse({ url: url.url }))), table.transform(planOf)])
  .describe("Another HTTP/1.1 server: its URL, or a table with url and more");

function planOf(raw: z.output<typeof table>): UpstreamPlan {
  const hostHeader = raw.host === "client" ? null : raw.host === "upstream" ? raw.url.authority : raw.host;
  return {
    ...raw.url,
    hostHeader,
    stripPrefix: raw["strip-prefix"] ?? "",
    forwarding: raw.forwarding,
    connectTimeoutMs: raw["connect-timeout"],
    responseTimeoutMs: raw["response-timeout"],
    idleTimeoutMs: raw["idle-timeout"],
    keepAliveMs: raw["keep-alive"],
    maxConnections: raw["max-connections"],
    maxHeadBytes: raw["max-head-size"],
    tls: raw.tls,
  };
}
