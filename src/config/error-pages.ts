/** The pages that stand in for errors: which there are, and where their files lie. */
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

/** The sites with absolute paths to their pages, that of maintenance too. Whether they can be read, judged-paths.ts says. */
export function placedErrorPages(sites: readonly SitePlan[], fromChdir: (path: string) => string): readonly SitePlan[] {
  const settingsOf = (settings: RouteSettings): RouteSettings => {
    const { errorPages, maintenance } = settings;
    const own = maintenance?.page ?? null;
    const placed = own === null ? settings : { ...settings, maintenance: { ...maintenance!, page: fromChdir(own) } };
    if (errorPages === null) return placed;
    const pages = errorPages.pages.map(({ status, files }) => ({ status, files: files.map(fromChdir) }));
    return { ...placed, errorPages: { ...errorPages, pages } };
  };
  return sites.map((site) => ({
    ...site,
    settings: settingsOf(site.settings),
    routes: site.routes.map((route) => ({ ...route, settings: settingsOf(route.settings) })),
  }));
}
