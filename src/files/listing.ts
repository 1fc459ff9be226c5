/** What is in a folder, for those who asked for listings: a page, or JSON for who takes it. */
import { close, type Dirent, readdir, stat } from "node:fs";
import type { Exchange } from "../http/exchange.ts";
import { ownFields } from "../http/response-changes.ts";
import type { ResponseFields } from "../http/response-fields.ts";
import { encodedName } from "./file-path.ts";
import type { Folder } from "./open-file.ts";

export interface Entry {
  readonly name: string;
  readonly isFolder: boolean;
  readonly size: number;
  readonly modifiedMs: number;
}

/** Names beyond this are left out, and the page says so. */
const MOST = 5000;

/** `path` is below the folder, `descriptor` that of the folder that was opened as it, which is closed here. */
export function answerListing(
  exchange: Exchange,
  folder: Folder,
  path: string,
  descriptor: number,
  dotfiles: boolean,
  failed: (why: string) => void,
): void {
  const where = folder.nameOf(path, descriptor);
  readdir(where, { withFileTypes: true }, (error, found) => {
    if (error !== null) {
      close(descriptor, () => {});
      return failed(error.message);
    }
    const shown = found
      .filter((one) => (dotfiles || !one.name.startsWith(".")) && !/[\0-\x1f\x7f\\/]/.test(one.name))
      .toSorted((a, b) => Number(isFolder(b)) - Number(isFolder(a)) || (a.name < b.name ? -1 : 1));
    measure(
      where,
      shown.slice(0, MOST),
      (entries, left) => {
        close(descriptor, () => {});
        const accept = exchange.head.headers.joined("accept") ?? "";
        const isJson = /\bapplication\/json\b/i.test(accept) && !/\btext\/html\b/i.test(accept);
        const title = path === "" ? "/" : `/${path}/`;
        const text = isJson ? listingJson(entries) : listingPage(title, entries, path !== "", left);
        exchange.complete(200, "OK", isJson ? JSON_FIELDS : HTML_FIELDS, Buffer.from(text));
      },
      shown.length - MOST,
    );
  });
}

/** A page of its own: no scripts, nothing from elsewhere. Links are relative, so it is right wherever the folder is mounted. */
export function listingPage(title: string, entries: readonly Entry[], hasParent: boolean, left: number): string {
  const rows = entries.map(({ name, isFolder: folder, size, modifiedMs }) => {
    const slash = folder ? "/" : "";
    const date = new Date(modifiedMs).toISOString().slice(0, 19).replace("T", " ");
    // "./": a name with a colon would be read as a scheme.
    return `<tr><td><a href="./${escaped(encodedName(name))}${slash}">${escaped(name)}${slash}</a></td><td>${folder ? "" : size}</td><td>${date}</td></tr>`;
  });
  if (hasParent) rows.unshift('<tr><td><a href="../">../</a></td><td></td><td></td></tr>');
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${escaped(title)}</title>
<style>body{font:1rem/1.5 system-ui,sans-serif;margin:2rem}td{padding:0 1rem 0 0}td+td{text-align:right;font-variant-numeric:tabular-nums}</style>
<h1>${escaped(title)}</h1>
<table>
${rows.join("\n")}
</table>
${left > 0 ? `<p>${left} more are not shown.</p>\n` : ""}</html>
`;
}

export function listingJson(entries: readonly Entry[]): string {
  const items = entries.map(({ name, isFolder: folder, size, modifiedMs }) => ({
    name,
    type: folder ? "directory" : "file",
    ...(folder ? {} : { size }),
    mtime: new Date(modifiedMs).toISOString(),
  }));
  return `${JSON.stringify(items)}\n`;
}

// Private

const HTML_FIELDS = fieldsOf("text/html; charset=utf-8");
const JSON_FIELDS = fieldsOf("application/json");

function fieldsOf(contentType: string): ResponseFields {
  const policy = "default-src 'none'; style-src 'unsafe-inline'";
  return ownFields(
    [
      ["Content-Type", contentType],
      ["Cache-Control", "no-cache"],
      ["Vary", "Accept"],
      ["X-Content-Type-Options", "nosniff"],
      ["Content-Security-Policy", policy],
    ].flat(),
  );
}

function isFolder(entry: Dirent): boolean {
  return entry.isDirectory();
}

/** Size and time of each; links and what has vanished meanwhile are left out. */
function measure(
  where: string,
  found: readonly Dirent[],
  done: (entries: readonly Entry[], left: number) => void,
  left: number,
): void {
  const entries: Entry[] = [];
  const next = (at: number): void => {
    const one = found[at];
    if (one === undefined) return done(entries, left);
    if (!one.isFile() && !one.isDirectory()) return next(at + 1);
    stat(`${where}/${one.name}`, (error, stats) => {
      if (error === null)
        entries.push({ name: one.name, isFolder: one.isDirectory(), size: stats.size, modifiedMs: stats.mtimeMs });
      next(at + 1);
    });
  };
  next(0);
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
