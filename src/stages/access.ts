/** Who may come, by address (`access` in the configuration): the first rule that matches the client decides; the others get 403. */
import type { AccessPlan } from "../config/sites/access.ts";
import { answerError } from "../http/error-response.ts";
import type { Peer } from "../http/exchange.ts";
import type { Stage } from "../http/handler.ts";
import { isInRange, parseIp } from "../http/ip-address.ts";

export function restricting(plan: AccessPlan): Stage {
  // One object stands for all requests of a client on its connection.
  const known = new WeakMap<Peer, boolean>();
  return (next) => (exchange) => {
    const { peer } = exchange;
    let allows = known.get(peer);
    if (allows === undefined) known.set(peer, (allows = isAllowed(plan, peer.address)));
    if (allows) next(exchange);
    else answerError(exchange, 403);
  };
}

/** `address` is empty for a Unix socket. */
export function isAllowed(plan: AccessPlan, address: string): boolean {
  const ip = address === "" ? null : parseIp(address);
  for (const { allows, from } of plan) {
    if (from === "all") return allows;
    if (from === "unix" ? address === "" : ip !== null && isInRange(ip, from)) return allows;
  }
  return true;
}
