/** `maintenance`: routes that answer 503 for a while. */
import { z } from "zod";
import { parseRange } from "../../http/ip-address.ts";
import { DEFAULT_RETRY_SECONDS, type MaintenancePlan } from "../maintenance.ts";
import { value, wrong, type ValueType } from "../value-types.ts";
import { someTimeSpan, written } from "./fields.ts";

const origin: ValueType<string> = (text) =>
  text === "unix" || parseRange(text) !== null
    ? value(text)
    : wrong("is neither an IP address (192.0.2.7, 2001:db8::1) nor a network (10.0.0.0/8) nor unix");

export const maintenanceSettings: z.ZodType<MaintenancePlan> = z
  .union([
    z
      .literal(true)
      .transform((): MaintenancePlan => ({ page: null, retryAfterSeconds: DEFAULT_RETRY_SECONDS, allow: [] })),
    z
      .strictObject({
        page: z.string().min(1).optional().describe("A file that is shown, seen from chdir"),
        "retry-after": z
          .union([z.literal(false).transform(() => null), someTimeSpan])
          .optional()
          .describe("When clients should come again"),
        allow: z.array(written(origin)).default([]).describe("Client addresses and networks that notice nothing of it"),
      })
      .transform((table): MaintenancePlan => {
        const retryMs = table["retry-after"];
        const seconds =
          retryMs === undefined ? DEFAULT_RETRY_SECONDS : retryMs === null ? null : Math.ceil(retryMs / 1000);
        return { page: table.page ?? null, retryAfterSeconds: seconds, allow: table.allow };
      }),
  ])
  .describe("Answer 503 instead: true, or a table with page, retry-after and allow");
