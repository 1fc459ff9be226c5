/** `basic-auth`: name and password (RFC 7617), from the configuration or from a file as htpasswd writes it. */
import { z } from "zod";
import { hashProblem } from "../password-text.ts";
import { timeSpan } from "./fields.ts";

export interface BasicAuthPlan {
  readonly realm: string;
  /** Name, hash. */
  readonly users: readonly (readonly [string, string])[];
  /** As written; null: none. */
  readonly file: string | null;
  /** How long a password that was right need not be checked again; 0 = each time. */
  readonly rememberMs: number;
  /** The field that tells whoever answers who it is; WSGI apps have REMOTE_USER beside it. */
  readonly header: string;
}

const shared = {
  realm: z
    .string()
    .regex(/^[ !#-[\]-~]+$/, "has a character that a realm may not have")
    .default("Restricted")
    .describe("What browsers tell the user they ask for"),
  remember: timeSpan
    .default(300_000)
    .describe("How long a password that was right need not be checked again; 0: each time"),
};

const hash = z.string().superRefine((text, context) => {
  const problem = hashProblem(text);
  if (problem !== null) context.addIssue({ code: "custom", message: problem, params: { isSecret: true } });
});

export const USER_HEADER = "Remote-User";

export const basicAuthSettings: z.ZodType<BasicAuthPlan> = z
  .strictObject({
    ...shared,
    users: z
      .record(
        z.string().regex(/^[^:\u0000-\u001f\u007f]{1,255}$/, "is no user name: it has a colon or a control character"),
        hash,
      )
      .default({})
      .describe('Names and the hashes of their passwords, as "maitred password" prints them'),
    file: z
      .string()
      .min(1)
      .optional()
      .describe("A file of name:hash lines, as htpasswd writes it; it is read again when it changes"),
  })
  .transform((table, context): BasicAuthPlan => {
    const users = Object.entries(table.users);
    if (users.length === 0 && table.file === undefined)
      context.addIssue({ code: "custom", message: "lets nobody in: give users or file" });
    return {
      realm: table.realm,
      users,
      file: table.file ?? null,
      rememberMs: table.remember,
      header: USER_HEADER,
    };
  })
  .describe("Who may come, by name and password (HTTP Basic)");
