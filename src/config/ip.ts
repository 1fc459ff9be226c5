/** Is this text an IPv6 address? Pure (node:net is I/O's folder), and as strict as listen(2) needs: RFC 4291 section 2.2, with a zone. */

export function isIPv6(text: string): boolean {
  const address = text.replace(/%[\w.-]+$/, "");
  if (!/^[\da-f:.]+$/i.test(address) || !address.includes(":")) return false;
  const halves = address.split("::");
  if (halves.length > 2) return false;
  const groups = halves.flatMap((half) => (half === "" ? [] : half.split(":")));
  const last = groups.at(-1) ?? "";
  const dotted = last.includes(".");
  if (dotted) {
    groups.pop();
    const parts = last.split(".");
    if (parts.length !== 4 || !parts.every((part) => /^\d{1,3}$/.test(part) && Number(part) <= 255)) return false;
  }
  const length = groups.length + (dotted ? 2 : 0);
  if (!groups.every((group) => /^[\da-f]{1,4}$/i.test(group))) return false;
  return halves.length === 2 ? length <= 7 : length === 8;
}
