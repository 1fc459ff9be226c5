/** `respond`: a fixed answer. */
import { z } from "zod";
import { responseFields, ResponseFields } from "../../http/response-fields.ts";

export interface RespondPlan {
  readonly status: number;
  /** Name, value, name, value ... */
  readonly fields: readonly string[];
  readonly body: string;
}

const status = z.int().min(200).max(599);
const PLAIN = "text/plain; charset=utf-8";

const whole = z
  .strictObject({
    status: status.default(200).describe("Status of the response"),
    body: z.string().default("").describe("Its body, in UTF-8"),
    type: z.string().default(PLAIN).describe("Its Content-Type, where there is a body"),
    headers: z.record(z.string(), z.string()).default({}).describe("Other fields of its head"),
  })
  .transform(({ status, body, type, headers }, context): RespondPlan => {
    const fields = [...(body === "" ? [] : ["Content-Type", type]), ...Object.entries(headers).flat()];
    const checked = responseFields(fields);
    if (!(checked instanceof ResponseFields)) {
      context.addIssue({
        code: "custom",
        message: `has a field that cannot be sent (${checked.name}): ${checked.reason}`,
      });
      return z.NEVER;
    }
    if (body !== "" && (status === 204 || status === 304)) {
      context.addIssue({ code: "custom", message: `has a body, and a response with status ${status} has none` });
      return z.NEVER;
    }
    return { status, fields, body };
  });

export const respondSettings: z.ZodType<RespondPlan> = z
  .union([
    status.transform((status): RespondPlan => ({ status, fields: [], body: "" })),
    z.string().transform((body): RespondPlan => ({ status: 200, fields: ["Content-Type", PLAIN], body })),
    whole,
  ])
  .describe("A fixed response: a status, a text, or a table with status, body, type and headers");
