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

/** The sites with absolute paths to their error pages. */
export function placedErrorPages(
  sites: readonly SitePlan[],
  fromChdir: (path: string) => string,
  host: HostFacts,
): { readonly sites: readonly SitePlan[]; readonly mistakes: readonly string[] } {
  const mistakes = new Set<string>();
  const placed = (settings: RouteSettings): RouteSettings => {
    const { errorPages } = settings;
    if (errorPages === null) return settings;
    const pages = errorPages.pages.map(({ status, files }) => {
      const paths = files.map(fromChdir);
      for (const path of paths)
        if (!host.isFile(path)) mistakes.add(`error-pages: there is no file ${path} for ${status}`);
        else if (pageType(path) === undefined)
          mistakes.add(`error-pages: ${path} for ${status} is of no known type: name it .html, .json, .txt or .xml`);
      return { status, files: paths };
    });
    return { ...settings, errorPages: { ...errorPages, pages } };
  };
  return {
    sites: sites.map((site) => ({
      ...site,
      settings: placed(site.settings),
      routes: site.routes.map((route) => ({ ...route, settings: placed(route.settings) })),
    })),
    mistakes: [...mistakes],
  };
}
