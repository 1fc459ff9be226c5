/**
 * Kinds of value in the configuration file, for the schemas beside this file. What flags take too is read by the same code (value-types.ts), from
 * a number or a text; so the same sentence says what is wrong with it.
 */
import { z } from "zod";
import { bytes, duration, memory, someDuration, type ValueType } from "../value-types.ts";

/** A value that is written as a text or a number and read as a flag's text is. */
export function written<T>(type: ValueType<T>): z.ZodType<T> {
  return z.union([z.string(), z.number()]).transform((raw, context) => {
    const parsed = type(String(raw));
    if (parsed.type === "value") return parsed.value;
    context.addIssue({ code: "custom", message: parsed.why });
    return z.NEVER;
  });
}

/** A value that is written as a text, and read as a flag's is. */
export function spelled<T>(type: ValueType<T>): z.ZodType<T, string> {
  return z.string().transform((text, context) => {
    const parsed = type(text);
    if (parsed.type === "value") return parsed.value;
    context.addIssue({ code: "custom", message: parsed.why });
    return z.NEVER;
  });
}

/** A time span, read to milliseconds: seconds, or a number with ms, s, m or h. */
export const timeSpan: z.ZodType<number> = written(duration);

/** The same, and not nothing. */
export const someTimeSpan: z.ZodType<number> = written(someDuration);

/** A size, read to bytes: bytes, or a number with k, m or g. */
export const size: z.ZodType<number> = written(bytes(Number.MAX_SAFE_INTEGER));

/** Memory or disk, read to bytes; t as well. */
export const storage: z.ZodType<number> = written(memory);
