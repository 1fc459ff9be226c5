/** `redirect`: where clients are sent, and with which status. */
import { z } from "zod";
import { parseTemplate, type RedirectTemplate } from "../../http/redirect-template.ts";

export interface RedirectPlan {
  readonly template: RedirectTemplate;
  readonly status: 301 | 302 | 303 | 307 | 308;
}

const target = z.string().transform((text, context) => {
  const template = parseTemplate(text);
  if (!("why" in template)) return template;
  context.addIssue({ code: "custom", message: template.why });
  return z.NEVER;
});

const statuses = z.literal([301, 302, 303, 307, 308]);

export const redirectSettings: z.ZodType<RedirectPlan> = z
  .union([
    target.transform((template): RedirectPlan => ({ template, status: 302 })),
    z
      .strictObject({
        to: target.describe(
          "Where to: a path or an http(s) URL; {path}, {query} and {host} stand for those of the request",
        ),
        status: statuses
          .default(302)
          .describe("301 and 308 are for ever, 302, 303 and 307 for now; 307 and 308 keep the method"),
        "keep-path": z.boolean().default(false).describe("The request's path and query follow the target"),
      })
      .transform(({ to, status, "keep-path": keepsPath }, context): RedirectPlan => {
        if (!keepsPath) return { template: to, status };
        const whole = parseTemplate(`${to.text.replace(/\/+$/, "")}{path}{query}`);
        if (!("why" in whole)) return { template: whole, status };
        context.addIssue({ code: "custom", message: whole.why, path: ["to"] });
        return z.NEVER;
      }),
  ])
  .describe("Where clients are sent: a target, or a table with to, status and keep-path");
