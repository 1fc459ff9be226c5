/** `compression`: what is compressed, and how. */
import { z } from "zod";
import { CODINGS, type CompressionPlan, DEFAULT_COMPRESSION, LEVELS, mediaRange } from "../compression.ts";
import { size, written } from "./fields.ts";

const coding = z.enum(CODINGS as ["zstd", "br", "gzip"]);

const level = (name: "zstd" | "br" | "gzip"): z.ZodType<number> => {
  const [least, most] = LEVELS[name];
  return z.int().min(least).max(most).default(DEFAULT_COMPRESSION.levels[name]).describe(`From ${least} to ${most}`);
};

const types = z.array(written(mediaRange)).min(1);

/** `true`, the codings, or a table. (`false` is read by schema.ts.) */
export const compressionSettings: z.ZodType<CompressionPlan> = z
  .union([
    z.literal(true).transform(() => DEFAULT_COMPRESSION),
    z
      .array(coding)
      .min(1)
      .transform((codings): CompressionPlan => ({ ...DEFAULT_COMPRESSION, codings })),
    z
      .strictObject({
        codings: z
          .array(coding)
          .min(1)
          .default([...CODINGS])
          .describe("The best first; the client's weights go before"),
        types: types
          .optional()
          .describe("Media types, in place of the usual ones: text/css, text/*, application/*+json"),
        "more-types": types.optional().describe("Media types beside the usual ones"),
        "min-size": size.default(DEFAULT_COMPRESSION.minBytes).describe("Shorter bodies stay as they are"),
        levels: z
          .strictObject({ zstd: level("zstd"), br: level("br"), gzip: level("gzip") })
          .default(DEFAULT_COMPRESSION.levels)
          .describe("How hard to try"),
        breach: z
          .enum(["pad", "skip", "off"])
          .default(DEFAULT_COMPRESSION.breach)
          .describe("Pages that depend on who asks: with a random length, uncompressed, or as all others"),
      })
      .transform((table): CompressionPlan => ({
        codings: table.codings,
        types: [...(table.types ?? DEFAULT_COMPRESSION.types), ...(table["more-types"] ?? [])],
        minBytes: table["min-size"],
        levels: table.levels,
        breach: table.breach,
      })),
  ])
  .describe("Compress responses for clients that accept it");
