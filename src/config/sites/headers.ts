/** `headers` and `request-headers`: fields that responses get, and that requests get on their way to whoever answers. */
import { z } from "zod";
import { fieldNames, fieldTable } from "./header-fields.ts";

/** Fields as name, value, name, value ... */
export interface HeadersPlan {
  /** Lower-case names of fields that are taken away. */
  readonly remove: readonly string[];
  /** In place of those of the same name. */
  readonly set: readonly string[];
  /** Beside those of the same name. */
  readonly add: readonly string[];
  /** Where the response has none of the name. */
  readonly default: readonly string[];
  readonly isSecure: boolean;
}

export interface RequestHeadersPlan {
  readonly remove: readonly string[];
  readonly set: readonly string[];
}

export const headersSettings: z.ZodType<HeadersPlan> = z
  .strictObject({
    preset: z
      .literal("secure")
      .optional()
      .describe("secure: the usual security fields, where the response has not said otherwise itself"),
    set: fieldTable.default([]).describe("Fields that every response has, in place of its own of the same name"),
    add: fieldTable.default([]).describe("Fields that every response has beside its own"),
    default: fieldTable.default([]).describe("Fields for responses that have none of the name"),
    remove: fieldNames.default([]).describe("Fields that no response has"),
  })
  .transform(({ preset, ...fields }) => ({ ...fields, isSecure: preset === "secure" }))
  .describe("Header fields of responses, whoever makes them");

export const requestHeadersSettings: z.ZodType<RequestHeadersPlan> = z
  .strictObject({
    set: fieldTable.default([]).describe("Fields that every request has, in place of the client's of the same name"),
    remove: fieldNames.default([]).describe("Fields that whoever answers does not get"),
  })
  .describe("Header fields of requests, as whoever answers gets them");
