/** The pages that stand in for errors: which there are, and where their files lie. */
import type { HostFacts } from "./host-facts.ts";
import type { RouteSettings } from "./sites/route.ts";
import type { SitePlan } from "./sites/site.ts";

export interface ErrorPagesPlan {
  /** A status ("404") or a class ("5xx"), and its files: of several the one that the client accepts best. Absolute paths. */
  readonly pages: readonly { readonly status: string; readonly files: readonly string[] }[];
  /** Also in place of what the application answers with such a status. */
  readonly intercepts: boolean;
}

/** Media types that a page can have, by the end of its name. */
const TYPES: Readonly<Record<string, string>> = {
  html: "text/html; charset=utf-8",
  htm: "text/html; charset=utf-8",
  txt: "text/plain; charset=utf-8",
  json: "application/json",
  xml: "application/xml",
};

/** Value of Content-Type; undefined where the name does not tell. */
export function pageType(path: string): string | undefined {
  return TYPES[path.slice(path.lastIndexOf(".") + 1).toLowerCase()];
}

/** The sites with absolute paths to their pages, that of maintenance too. */
export function placedErrorPages(
  sites: readonly SitePlan[],
  fromChdir: (path: string) => string,
  host: HostFacts,
): { readonly sites: readonly SitePlan[]; readonly mistakes: readonly string[] } {
  const mistakes = new Set<string>();
  const look = (path: string, key: string): void => {
    if (!host.isFile(path)) mistakes.add(`${key}: there is no file ${path}`);
    else if (pageType(path) === undefined)
      mistakes.add(`${key}: ${path} is of no known type: name it .html, .json, .txt or .xml`);
  };
  const settingsOf = (settings: RouteSettings): RouteSettings => {
    const { errorPages, maintenance } = settings;
    const own = maintenance?.page ?? null;
    if (own !== null) look(fromChdir(own), "maintenance");
    const placed = own === null ? settings : { ...settings, maintenance: { ...maintenance!, page: fromChdir(own) } };
    if (errorPages === null) return placed;
    const pages = errorPages.pages.map(({ status, files }) => {
      const paths = files.map(fromChdir);
      for (const path of paths) look(path, `error-pages: ${status}`);
      return { status, files: paths };
    });
    return { ...placed, errorPages: { ...errorPages, pages } };
  };
  return {
    sites: sites.map((site) => ({
      ...site,
      settings: settingsOf(site.settings),
      routes: site.routes.map((route) => ({ ...route, settings: settingsOf(route.settings) })),
    })),
    mistakes: [...mistakes],
  };
}
