/** Which site a request is for, by its host: an exact name, else the longest wildcard, else none. Pure, and of any kind of site. */

export interface HostSite<T> {
  /** Lower-case, without ports; `*.example.com` for all below. */
  readonly hosts: readonly string[];
  readonly site: T;
}

export class HostTable<T> {
  readonly #exact = new Map<string, T>();
  /** By what follows the asterisk: ".example.com". */
  readonly #below = new Map<string, T>();

  constructor(sites: readonly HostSite<T>[]) {
    for (const { hosts, site } of sites)
      for (const host of hosts) {
        if (host.startsWith("*.")) this.#below.set(host.slice(1), site);
        else this.#exact.set(host, site);
      }
  }

  /** `field` is the Host field or the :authority, with port or without. undefined where no site has that name. */
  find(field: string): T | undefined {
    const name = hostOf(field);
    const exact = this.#exact.get(name);
    if (exact !== undefined || this.#below.size === 0) return exact;
    for (let dot = name.indexOf(".", 1); dot > 0; dot = name.indexOf(".", dot + 1)) {
      const found = this.#below.get(name.slice(dot));
      if (found !== undefined) return found;
    }
    return undefined;
  }
}

/** Lower-case, without port and without the dot that ends a fully qualified name. */
export function hostOf(field: string): string {
  const bracket = field.lastIndexOf("]");
  const colon = field.indexOf(":", bracket + 1);
  const end = colon < 0 ? field.length : colon;
  const name = field.charCodeAt(end - 1) === 0x2e ? field.slice(0, end - 1) : field.slice(0, end);
  return name.toLowerCase();
}
