/** Whether a request is for a page that a single-page app makes in the browser, rather than for a file that is missing. Pure. */
import type { RequestHead } from "../http/request-head.ts";
import { extensionOf } from "./media-types.ts";

/**
 * Who asks for HTML by name is shown a page. Who takes anything (a script tag, curl, a link preview) gets one where the path looks like a page's,
 * without an extension: a missing script answered with HTML and 200 would be a riddle.
 */
export function isNavigation({ headers, path }: RequestHead): boolean {
  const accept = headers.joined("accept");
  if (accept !== undefined && HTML.test(accept)) return true;
  return (accept === undefined || ANYTHING.test(accept)) && extensionOf(path.slice(path.lastIndexOf("/") + 1)) === "";
}

// Private

const HTML = /(?:^|,)\s*(?:text\/html|application\/xhtml\+xml)\s*(?:$|[,;])(?!\s*q=0(?:\.0*)?\s*(?:,|$))/i;
const ANYTHING = /(?:^|,)\s*\*\/\*\s*(?:$|[,;])/;
