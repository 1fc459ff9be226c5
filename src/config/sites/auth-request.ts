/** `auth-request`: another route of the site decides who may come, as nginx's auth_request. */
import { z } from "zod";
import { someTimeSpan } from "./fields.ts";
import { fieldName, fieldNames } from "./header-fields.ts";

export interface AuthRequestPlan {
  readonly path: string;
  readonly query: string;
  /** Fields of its answer that the request gets, in place of the client's. */
  readonly copy: readonly string[];
  /** Fields of its answer that the client gets. Lower-case. */
  readonly copyBack: readonly string[];
  /** Lower-case field of its answer that names the user; null: none does. */
  readonly user: string | null;
  /** Refusals go to the client as they are: redirects to a login page too. */
  readonly passesRefusals: boolean;
  /** How long a yes holds for the same values of `rememberBy`; 0: for the one request. */
  readonly rememberMs: number;
  /** Lower-case. */
  readonly rememberBy: readonly string[];
}

const path = z
  .string()
  .regex(/^\/[!-~]*$/, "is no path of this site: it begins with a slash and has no spaces")
  .refine((text) => !text.includes("#"), "has a fragment, which no server sees")
  .describe(
    "A path of the same site: it is asked with GET and the request's fields, without the body; 2xx lets the request pass",
  );

export const authRequestSettings: z.ZodType<AuthRequestPlan> = z
  .union([
    path.transform((text) => ({ path: text })),
    z.strictObject({
      path,
      copy: z
        .array(fieldName)
        .optional()
        .describe("Fields of its answer that whoever answers the request gets; nobody else can send them"),
      "copy-back": fieldNames
        .optional()
        .describe('Fields of its answer that the client gets, for example "Set-Cookie"'),
      user: fieldName
        .optional()
        .describe("The field of its answer that says who the user is (REMOTE_USER of a WSGI app)"),
      refusal: z
        .enum(["plain", "whole"])
        .optional()
        .describe("plain: 401 and 403 are answered here, all else is an error; whole: what it answered, redirects too"),
      remember: someTimeSpan.optional().describe("How long its yes holds for requests with the same credentials"),
      "remember-by": fieldNames.optional().describe("The request fields that are the credentials"),
    }),
  ])
  .transform((table: Record<string, unknown> & { path: string }): AuthRequestPlan => {
    const at = table.path.indexOf("?");
    const said = <T>(key: string, otherwise: T): T => (table[key] as T | undefined) ?? otherwise;
    const user = said<string | null>("user", null);
    return {
      path: at === -1 ? table.path : table.path.slice(0, at),
      query: at === -1 ? "" : table.path.slice(at + 1),
      copy: said("copy", []),
      copyBack: said("copy-back", []),
      user: user?.toLowerCase() ?? null,
      passesRefusals: said<string>("refusal", "plain") === "whole",
      rememberMs: said("remember", 0),
      rememberBy: said("remember-by", ["authorization", "cookie"]),
    };
  })
  .describe("Another route of the site decides who may come (nginx's auth_request)");
