/** `accel` and `sendfile-roots`: where files lie that the app may name in its responses. */
import { z } from "zod";
import { accelPrefix, type AccelFolder } from "../named-files.ts";
import { written } from "./fields.ts";

const folder = z.string().min(1, "is empty");

export const accelSettings: z.ZodType<readonly AccelFolder[]> = z
  .record(z.string(), folder)
  .transform((said, context): readonly AccelFolder[] =>
    Object.entries(said).flatMap(([key, root]) => {
      const prefix = accelPrefix(key);
      if (prefix.type === "value") return [{ prefix: prefix.value, root }];
      context.addIssue({ code: "custom", message: prefix.why, path: [key] });
      return [];
    }),
  )
  .describe('Folders that the app may name files of, by X-Accel-Redirect: { "/protected" = "/srv/files" }');

export const sendfileSettings: z.ZodType<readonly string[]> = z
  .array(written((text) => (text === "" ? { type: "wrong", why: "is empty" } : { type: "value", value: text })))
  .describe("Folders whose files the app may name by their absolute paths, in X-Sendfile");
