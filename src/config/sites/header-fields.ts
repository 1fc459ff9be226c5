/** Names and values of header fields in the configuration, for the schemas beside this file. */
import { z } from "zod";

/** They are the server's own business: how the message is framed and whether the connection persists. */
const FRAMING: ReadonlySet<string> = new Set([
  "connection",
  "content-length",
  "keep-alive",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

export const fieldName: z.ZodType<string, string> = z
  .string()
  .regex(/^[!#$%&'*+.^`|~\w-]+$/, "is no name of a header field")
  .refine((name) => !FRAMING.has(name.toLowerCase()), "is the server's own business: it frames the message");

export const fieldValue: z.ZodType<string, string> = z
  .string()
  .regex(/^[\t -~\x80-\xff]*$/, "has a character that no header field may have")
  .transform((text) => text.trim());

/** `{ "X-Frame-Options" = "DENY", Link = ["</a>", "</b>"] }` to name, value, name, value ... */
export const fieldTable: z.ZodType<readonly string[]> = z
  .record(fieldName, z.union([fieldValue, z.array(fieldValue).min(1)]))
  .transform((table) =>
    Object.entries(table).flatMap(([name, values]) => [values].flat().flatMap((text) => [name, text])),
  );

/** Lower-case. */
export const fieldNames: z.ZodType<readonly string[]> = z.array(fieldName.transform((name) => name.toLowerCase()));
