/** `request-id`: every request gets a name, for the app, the client and the logs. */
import { z } from "zod";
import { fieldName } from "./header-fields.ts";

export interface RequestIdPlan {
  /** The field that carries it, both ways. */
  readonly header: string;
  /** Whose ids are taken over where they are well-formed. */
  readonly trusts: "proxies" | "all" | "none";
}

const DEFAULT: RequestIdPlan = { header: "X-Request-ID", trusts: "proxies" };

export const requestIdSettings: z.ZodType<RequestIdPlan> = z
  .union([
    z.literal(true).transform(() => DEFAULT),
    z
      .strictObject({
        header: fieldName.default(DEFAULT.header).describe("The field that carries it, in requests and responses"),
        trust: z
          .enum(["proxies", "all", "none"])
          .default("proxies")
          .describe(
            "Whose ids are taken over: those of trusted proxies (--forwarded-allow-ips), of all clients, of nobody",
          ),
      })
      .transform(({ header, trust }): RequestIdPlan => ({ header, trusts: trust })),
  ])
  .describe("Every request has an id, in a field that the app and the client get, and in the logs");
