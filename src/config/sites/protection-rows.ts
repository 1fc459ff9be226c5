/** Where the settings of protection.ts stand in the configuration file, and how they are read. Loads zod. */
import { z } from "zod";
import { accessSettings } from "./access.ts";
import { authRequestSettings } from "./auth-request.ts";
import { basicAuthSettings } from "./basic-auth.ts";
import { canonicalSettings } from "./canonical.ts";
import { corsSettings } from "./cors.ts";
import { headersSettings, requestHeadersSettings } from "./headers.ts";
import { limitsSettings } from "./limits.ts";
import { methodsSettings } from "./methods.ts";
import type { ProtectionSettings } from "./protection.ts";
import { requestIdSettings } from "./request-id.ts";
import { rewriteSettings } from "./rewrite.ts";

type Rows = {
  readonly [K in keyof ProtectionSettings]: {
    readonly key: string;
    readonly schema: z.ZodType<ProtectionSettings[K]>;
    readonly off: ProtectionSettings[K];
  };
};

export const protectionRows: Rows = {
  requestId: { key: "request-id", schema: requestIdSettings, off: null },
  canonical: { key: "canonical", schema: canonicalSettings, off: null },
  headers: { key: "headers", schema: headersSettings, off: null },
  cors: { key: "cors", schema: corsSettings, off: null },
  access: { key: "access", schema: accessSettings, off: [] },
  limits: { key: "limits", schema: limitsSettings, off: [] },
  allowMethods: { key: "allow-methods", schema: methodsSettings, off: [] },
  basicAuth: { key: "basic-auth", schema: basicAuthSettings, off: null },
  authRequest: { key: "auth-request", schema: authRequestSettings, off: null },
  satisfy: {
    key: "satisfy",
    schema: z
      .enum(["all", "any"])
      .describe(
        "any: whom access allows need not authenticate, and who authenticates need not be allowed; as in nginx",
      ),
    off: "all",
  },
  requestHeaders: { key: "request-headers", schema: requestHeadersSettings, off: null },
  rewrite: { key: "rewrite", schema: rewriteSettings, off: null },
};
