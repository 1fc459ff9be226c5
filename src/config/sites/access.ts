/** `access`: which client addresses may come, as rules of which the first that matches decides. */
import { z } from "zod";
import { type IpRange, parseRange } from "../../http/ip-address.ts";
import { value, wrong, type ValueType } from "../value-types.ts";
import { spelled } from "./fields.ts";

export interface AccessRule {
  readonly allows: boolean;
  /** `unix`: a peer on a Unix socket for whom nobody spoke. */
  readonly from: IpRange | "all" | "unix";
}

/** The first that matches decides; a client that none matches may come, as in nginx. */
export type AccessPlan = readonly AccessRule[];

const rule: ValueType<AccessRule> = (text) => {
  const match = /^(allow|deny)\s+(\S+?);?$/.exec(text.trim());
  if (match === null) return wrong('is no rule: write "allow" or "deny" and an address, a network, all or unix:');
  const allows = match[1] === "allow";
  const whom = match[2]!;
  if (whom === "all") return value({ allows, from: "all" });
  if (whom === "unix:" || whom === "unix") return value({ allows, from: "unix" });
  const range = parseRange(whom);
  return range === null
    ? wrong(
        `is no rule: ${whom} is neither an IP address (192.0.2.7, 2001:db8::1) nor a network (10.0.0.0/8), all or unix:`,
      )
    : value({ allows, from: range });
};

export const accessSettings: z.ZodType<AccessPlan> = z
  .union([z.array(spelled(rule)).max(100_000), spelled(rule).transform((one) => [one])])
  .describe(
    'Who may come, by client address: rules like "allow 10.0.0.0/8" and "deny all"; the first that matches decides',
  );
