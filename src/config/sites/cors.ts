/** `cors`: which other origins' pages may read responses (Fetch standard, "HTTP CORS protocol"). */
import { z } from "zod";
import { value, wrong, type ValueType } from "../value-types.ts";
import { fieldName } from "./header-fields.ts";
import { someTimeSpan, spelled } from "./fields.ts";

/** An origin, or all below a host name. */
export interface OriginPattern {
  readonly scheme: string;
  /** Lower-case; what follows the asterisk, with its dot, for `https://*.example.com`. */
  readonly host: string;
  readonly isBelow: boolean;
  /** As in the Origin field: empty where it is the scheme's own. */
  readonly port: string;
}

export interface CorsPlan {
  /** `any`: every origin, without credentials. */
  readonly origins: "any" | readonly OriginPattern[];
  /** Sandboxed frames, files: whoever can make one is anybody. */
  readonly allowsNull: boolean;
  readonly credentials: boolean;
  readonly methods: readonly string[];
  /** `any`: what the preflight asks for. */
  readonly headers: "any" | readonly string[];
  readonly expose: readonly string[];
  readonly maxAgeSeconds: number;
}

const origin: ValueType<OriginPattern | "*" | "null"> = (text) => {
  if (text === "*" || text === "null") return value(text);
  const match = /^([a-z][a-z\d+.-]*):\/\/(\*\.)?([\w-]+(?:\.[\w-]+)*|\[[\da-f:.]+\])(?::(\d+))?$/i.exec(text);
  if (match === null)
    return wrong(
      'is no origin: write a scheme and a host ("https://app.example.com", "https://*.example.com"), or "*"',
    );
  const scheme = match[1]!.toLowerCase();
  const own = { http: "80", https: "443" }[scheme];
  const port = match[4] ?? "";
  const isBelow = match[2] !== undefined;
  const host = match[3]!.toLowerCase();
  if (isBelow && !host.includes(".")) return wrong("would let in everybody of a top-level domain");
  return value({ scheme, host: isBelow ? `.${host}` : host, isBelow, port: port === own ? "" : port });
};

const SIMPLE = ["GET", "HEAD", "POST"];

export const corsSettings: z.ZodType<CorsPlan> = z
  .strictObject({
    origins: z
      .union([z.array(spelled(origin)).min(1), spelled(origin).transform((one) => [one])])
      .describe(
        'Origins whose pages may read responses: "https://app.example.com", "https://*.example.com", or "*" for all',
      ),
    credentials: z.boolean().default(false).describe("With the browser's cookies and credentials; not together with *"),
    methods: z
      .array(z.string().regex(/^[A-Za-z]+$/, "is no request method"))
      .default([])
      .transform((methods) => methods.map((method) => method.toUpperCase()))
      .describe("Methods beside GET, HEAD and POST"),
    headers: z
      .union([z.literal("*").transform(() => "any" as const), z.array(fieldName)])
      .default([])
      .describe('Request fields that pages may set; "*" for all they ask for'),
    expose: z.array(fieldName).default([]).describe("Response fields that pages may read beside the simple ones"),
    "max-age": someTimeSpan.default(600_000).describe("How long browsers remember the answer to a preflight"),
  })
  .transform((table, context): CorsPlan => {
    const all = table.origins.includes("*");
    if (all && table.credentials) {
      context.addIssue({
        code: "custom",
        message: 'has credentials together with the origin "*": every site could act as your users; name the origins',
      });
      return z.NEVER;
    }
    if (all && table.origins.length > 1) {
      context.addIssue({ code: "custom", message: 'has origins beside "*", which is all of them' });
      return z.NEVER;
    }
    return {
      origins: all ? "any" : table.origins.filter((each) => typeof each !== "string"),
      allowsNull: table.origins.includes("null"),
      credentials: table.credentials,
      methods: [...new Set([...SIMPLE, ...table.methods])],
      headers: table.headers,
      expose: table.expose,
      maxAgeSeconds: Math.ceil(table["max-age"] / 1000),
    };
  })
  .describe("Other origins whose pages may read responses (CORS); preflights are answered here");
