/** An IP address in text to the bytes that travel; null where the text is no address. */
import { isIPv6 } from "../../config/ip.ts";

export function ipBytes(text: string): Buffer | null {
  const v4 = ipv4Bytes(text);
  if (v4 !== null) return Buffer.from(v4);
  if (!isIPv6(text) || text.includes("%")) return null;
  const [head = "", tail] = text.split("::");
  const before = groups(head);
  const after = groups(tail ?? "");
  const missing = 16 - before.length - after.length;
  return Buffer.from([...before, ...Array.from({ length: missing }, () => 0), ...after]);
}

// Private

function ipv4Bytes(text: string): number[] | null {
  const parts = text.split(".");
  const isAddress = parts.length === 4 && parts.every((part) => /^\d{1,3}$/.test(part) && Number(part) < 256);
  return isAddress ? parts.map(Number) : null;
}

/** "fe80:1" and "ffff:1.2.3.4" to bytes. */
function groups(text: string): number[] {
  if (text === "") return [];
  return text.split(":").flatMap((group) => {
    if (group.includes(".")) return ipv4Bytes(group) ?? [];
    const number = Number.parseInt(group, 16);
    return [number >> 8, number & 0xff];
  });
}
