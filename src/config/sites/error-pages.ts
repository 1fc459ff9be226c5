/** `error-pages`: files for statuses and classes of them. */
import { z } from "zod";
import type { ErrorPagesPlan } from "../error-pages.ts";

const files = z.union([z.string().min(1), z.array(z.string().min(1)).min(1)]);

export const errorPagesSettings: z.ZodType<ErrorPagesPlan> = z
  .object({
    intercept: z.boolean().default(false).describe("Also in place of what the application answers with such a status"),
  })
  .catchall(files)
  .transform(({ intercept, ...rest }, context): ErrorPagesPlan => {
    for (const key of Object.keys(rest)) {
      if (/^[45](?:\d\d|xx)$/i.test(key)) continue;
      context.addIssue({
        code: "custom",
        path: [key],
        message: 'is neither a status ("404") nor a class of them ("4xx", "5xx")',
      });
    }
    const pages = Object.entries(rest).map(([status, value]) => ({
      status: status.toLowerCase(),
      files: typeof value === "string" ? [value] : value,
    }));
    return { pages, intercepts: intercept };
  })
  .describe("Own pages for errors: a status or a class, and a file, or several of different types");
