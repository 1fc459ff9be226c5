/** `allow-methods`: the request methods that a route takes. */
import { z } from "zod";

/** Upper-case. GET brings HEAD with it. */
export type MethodsPlan = readonly string[];

export const methodsSettings: z.ZodType<MethodsPlan> = z
  .array(
    z
      .string()
      .regex(/^[!#$%&'*+.^`|~\w-]+$/, "is no request method")
      .transform((method) => method.toUpperCase()),
  )
  .min(1)
  .transform((methods) => [...new Set(methods.flatMap((method) => (method === "GET" ? ["GET", "HEAD"] : [method])))])
  .describe("The request methods that are taken; others get 405 with Allow. GET brings HEAD with it");
