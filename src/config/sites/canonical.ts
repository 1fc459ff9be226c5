/** `canonical`: the one scheme and host name of a site; requests for another are sent there. */
import { z } from "zod";

export interface CanonicalPlan {
  readonly isHttps: boolean;
  /** Lower-case, without port; null: as asked for. */
  readonly host: string | null;
  /** null: www stays as it is. */
  readonly www: "add" | "remove" | null;
  readonly status: 301 | 302 | 307 | 308;
  /** The port of https; 443 goes without saying. */
  readonly port: number;
}

export const canonicalSettings: z.ZodType<CanonicalPlan> = z
  .strictObject({
    https: z.boolean().default(false).describe("Plain requests are sent to https"),
    host: z
      .string()
      .regex(/^(?:[\w-]+(?:\.[\w-]+)*|\[[\da-f:.]+\])$/i, "is no host name: write it alone, without scheme and port")
      .transform((host) => host.toLowerCase())
      .optional()
      .describe("Requests for the site's other names are sent to this one"),
    www: z
      .enum(["add", "remove"])
      .optional()
      .describe("Requests without www. are sent to the name with it, or the other way round"),
    status: z.literal([301, 302, 307, 308]).default(308).describe("308 is for ever and keeps the method"),
    port: z.int().min(1).max(65_535).default(443).describe("The port of https"),
  })
  .transform(({ https, host, www, status, port }, context): CanonicalPlan => {
    if (host !== undefined && www !== undefined) {
      context.addIssue({ code: "custom", message: "has host and www: one of them says the name" });
      return z.NEVER;
    }
    if (!https && host === undefined && www === undefined)
      context.addIssue({ code: "custom", message: "says nothing: give https, host or www" });
    return { isHttps: https, host: host ?? null, www: www ?? null, status, port };
  })
  .describe("The one scheme and name of the site: requests for another are redirected, with path and query");
