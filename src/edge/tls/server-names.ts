/** Which certificate serves a name that a client asks for (SNI, RFC 6066 section 3), by the names that the certificates carry. */

/** `names`: of each certificate, in the order given. The result is an index into it; 0, the first, serves every name that no one carries. */
export function serverNames(names: readonly (readonly string[])[]): (serverName: string) => number {
  const byName = new Map<string, number>();
  names.forEach((own, index) => {
    // Where two carry the same name, the one given first has it.
    for (const name of own) if (!byName.has(plain(name))) byName.set(plain(name), index);
  });
  return (serverName) => {
    const name = plain(serverName);
    // RFC 9525 section 6.3: a wildcard stands for exactly one label, the leftmost.
    return byName.get(name) ?? byName.get(`*${name.slice(name.indexOf("."))}`) ?? 0;
  };
}

/** Without case, and without the dot that ends an absolute name. */
function plain(name: string): string {
  return name.toLowerCase().replace(/\.$/, "");
}
