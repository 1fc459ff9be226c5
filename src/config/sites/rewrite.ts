/** `rewrite`: another path for whoever answers; the client does not notice. */
import { z } from "zod";
import { canonicalText } from "../../http/canonical-path.ts";
import { value, wrong, type ValueType } from "../value-types.ts";
import { spelled } from "./fields.ts";

export interface RewriteRule {
  readonly pattern: RegExp;
  /** A path, perhaps with a query; $1 … $9 and ${name} stand for what the pattern has caught, $$ for a dollar. */
  readonly to: string;
}

export interface RewritePlan {
  /** In one spelling (canonical-path.ts), without a slash at the end; empty: nothing. */
  readonly stripPrefix: string;
  readonly addPrefix: string;
  /** Between the two; the first whose pattern matches. */
  readonly rules: readonly RewriteRule[];
}

const prefix: ValueType<string> = (text) => {
  if (!text.startsWith("/")) return wrong("is no path: it does not begin with a slash");
  if (/[?#\s]/.test(text)) return wrong("is no path: it has a character that no path has");
  return value(canonicalText(text).replace(/\/+$/, ""));
};

const pattern: ValueType<RegExp> = (text) => {
  try {
    return value(new RegExp(text));
  } catch (error) {
    return wrong(`is no regular expression: ${(error as Error).message}`);
  }
};

const target: ValueType<string> = (text) => {
  if (!text.startsWith("/")) return wrong("is no path: it does not begin with a slash");
  return /[#\s]|[^\x21-\x7e]/.test(text) ? wrong("has a character that no path has: write it as %XX") : value(text);
};

const rule: z.ZodType<RewriteRule> = z
  .strictObject({
    pattern: spelled(pattern).describe(
      "A regular expression (JavaScript) for the path; it is compared %-encoded in one spelling: é is %C3%A9, letters are letters",
    ),
    to: spelled(target).describe(
      'The new path, perhaps with a query: "/articles/$1?page=$2"; the request\'s query follows',
    ),
  })
  .transform((table, context): RewriteRule => {
    const groups = new RegExp(`${table.pattern.source}|`).exec("")!.length - 1;
    for (const [, digit] of table.to.replaceAll("$$", "").matchAll(/\$(\d)/g)) {
      if (Number(digit) <= groups) continue;
      context.addIssue({
        code: "custom",
        message: `uses $${digit}, and its pattern has ${groups} groups`,
        path: ["to"],
      });
      return z.NEVER;
    }
    return table;
  });

export const rewriteSettings: z.ZodType<RewritePlan> = z
  .strictObject({
    "strip-prefix": spelled(prefix).default("").describe("Taken from the front of the path"),
    replace: z
      .union([rule.transform((one) => [one]), z.array(rule)])
      .default([])
      .describe("Patterns and what paths that match become; the first that matches counts"),
    "add-prefix": spelled(prefix).default("").describe("Put before the path, after all else"),
  })
  .transform((table): RewritePlan => ({
    stripPrefix: table["strip-prefix"],
    addPrefix: table["add-prefix"],
    rules: table.replace,
  }))
  .describe("Another path for whoever answers; routes are found by the client's");
