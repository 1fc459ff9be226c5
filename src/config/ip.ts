/** Is this text an IPv6 address, perhaps with a zone? */
import { parseIp } from "../http/ip-address.ts";

export function isIPv6(text: string): boolean {
  return text.includes(":") && parseIp(text) !== null;
}
