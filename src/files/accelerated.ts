/**
 * Files that the app names in its response, for us to send: X-Accel-Redirect, as under nginx, and X-Sendfile, as under Apache and lighttpd. The app
 * decides who may have the file; its worker is free as soon as it has said so.
 *
 * The app's fields stay, apart from those about its body; conditions and ranges are the file's. Only what lies below a configured folder is sent.
 */
import { answerError } from "../http/error-response.ts";
import type { Exchange, FilePart } from "../http/exchange.ts";
import { valueOf, withoutFields } from "../http/field-lines.ts";
import type { Stage } from "../http/handler.ts";
import { httpDate, parseHttpDate } from "../http/http-date.ts";
import { requestName } from "../http/request-name.ts";
import { PassingSink, passOn } from "../http/passing.ts";
import { ownFields } from "../http/response-changes.ts";
import type { ResponseFields } from "../http/response-fields.ts";
import type { Validators } from "../http/preconditions.ts";
import { answerOpen } from "./answer.ts";
import type { FilesContext } from "./context.ts";
import { filePath } from "./file-path.ts";
import { contentTypeOf } from "./media-types.ts";
import { Folder } from "./open-file.ts";
import { Representation, versionOf } from "./representation.ts";

/** Where files lie that the app may name. */
export interface NamedFiles {
  /** For X-Accel-Redirect: a path that stands for a folder. */
  readonly accel: readonly { readonly prefix: string; readonly root: string }[];
  /** For X-Sendfile: folders whose files may be named by their absolute paths. */
  readonly sendfileRoots: readonly string[];
}

/** Sends the files that the app names. A header that is not configured is none of ours: a server before us may be meant. */
export function accelerated({ accel, sendfileRoots }: NamedFiles, context: FilesContext): Stage {
  const folders: NamedFolders = {
    // The longest first.
    internal: accel
      .map(({ prefix, root }) => ({ prefix: prefix.replace(/\/+$/, ""), folder: new Folder(root, false) }))
      .toSorted((a, b) => b.prefix.length - a.prefix.length),
    roots: sendfileRoots.map((root) => new Folder(root, false)),
  };
  return (next) => (exchange) => {
    if (exchange.webSocket !== null) return next(exchange);
    next(passOn(exchange, new AcceleratedSink(exchange, folders, context)));
  };
}

// Private

interface NamedFolders {
  readonly internal: readonly { readonly prefix: string; readonly folder: Folder }[];
  readonly roots: readonly Folder[];
}

/** Where a named file is, or why it is nowhere. */
type Place =
  | { readonly type: "file"; readonly folder: Folder; readonly path: string }
  | { readonly type: "nowhere"; readonly why: string };

/** For the server before the app, and no client's business. */
const FOR_US: ReadonlySet<string> = new Set([
  "x-sendfile",
  "x-accel-redirect",
  "x-accel-buffering",
  "x-accel-charset",
  "x-accel-limit-rate",
]);
/** What the app said of its own body. */
const OF_BODY: ReadonlySet<string> = new Set([
  "content-length",
  "accept-ranges",
  "content-range",
  "trailer",
  "etag",
  "last-modified",
  "content-type",
]);

class AcceleratedSink extends PassingSink {
  readonly #folders: NamedFolders;
  readonly #context: FilesContext;
  /** The app's own body is thrown away. */
  #isReplaced = false;

  constructor(outer: Exchange, folders: NamedFolders, context: FilesContext) {
    super(outer);
    this.#folders = folders;
    this.#context = context;
  }

  override complete(
    inner: Exchange,
    status: number,
    reason: string,
    fields: ResponseFields,
    body: string | Buffer,
  ): void {
    if (!this.#replaces(inner, status, reason, fields)) super.complete(inner, status, reason, fields, body);
  }

  override start(inner: Exchange, status: number, reason: string, fields: ResponseFields): void {
    this.#isReplaced = this.#replaces(inner, status, reason, fields);
    if (!this.#isReplaced) super.start(inner, status, reason, fields);
  }

  override write(inner: Exchange, chunk: Buffer): void {
    if (this.#isReplaced) inner.onSent?.(chunk.length);
    else super.write(inner, chunk);
  }

  override sendFile(inner: Exchange, part: FilePart, returned: (sent: number) => void): boolean {
    return !this.#isReplaced && super.sendFile(inner, part, returned);
  }

  override end(inner: Exchange, trailers: ResponseFields | null): void {
    if (!this.#isReplaced) super.end(inner, trailers);
  }

  override cut(inner: Exchange): void {
    if (!this.#isReplaced) super.cut(inner);
  }

  // Private

  /** The response names a file: that is sent. */
  #replaces(inner: Exchange, status: number, reason: string, fields: ResponseFields): boolean {
    const { internal, roots } = this.#folders;
    const redirect = internal.length === 0 ? undefined : valueOf(fields.flat, "x-accel-redirect");
    const named = redirect ?? (roots.length === 0 ? undefined : valueOf(fields.flat, "x-sendfile"));
    if (named === undefined) return false;
    this.adopt(inner);
    const place = redirect === undefined ? this.#below(named) : this.#within(named);
    const header = redirect === undefined ? "X-Sendfile" : "X-Accel-Redirect";
    if (place.type === "nowhere") this.#fail(header, named, 502, place.why);
    else this.#send(place.folder, place.path, header, status, reason, fields);
    return true;
  }

  /** X-Accel-Redirect is a URI: its query, if any, is nobody's here. */
  #within(uri: string): Place {
    const [path = ""] = uri.split("?", 1);
    for (const { prefix, folder } of this.#folders.internal) {
      if (!path.startsWith(`${prefix}/`)) continue;
      const found = filePath(path.slice(prefix.length), true);
      if (found.type !== "path" || found.isFolder) return { type: "nowhere", why: "no file can have this path" };
      return { type: "file", folder, path: found.path };
    }
    return { type: "nowhere", why: "accel has no folder for this path" };
  }

  /** X-Sendfile is a path of this machine, in UTF-8, nothing escaped. */
  #below(named: string): Place {
    const path = Buffer.from(named, "latin1").toString();
    for (const folder of this.#folders.roots) {
      const root = folder.root.replace(/\/+$/, "");
      if (!path.startsWith(`${root}/`)) continue;
      // What it really is, the kernel tells; but no way up is taken to get there.
      const below = path.slice(root.length + 1);
      if (/(?:^|\/)\.\.?(?:\/|$)|\0|\ufffd|\/$|^$/.test(below))
        return { type: "nowhere", why: "no file can have this path" };
      return { type: "file", folder, path: below };
    }
    return { type: "nowhere", why: "it is below none of sendfile-roots" };
  }

  #send(folder: Folder, path: string, header: string, status: number, reason: string, fields: ResponseFields): void {
    const { outer } = this;
    const named = `${folder.root}/${path}`;
    folder.open(path, (opened) => {
      if (opened.type === "missing" || opened.type === "folder")
        return this.#fail(header, named, 404, opened.type === "folder" ? "it is a folder" : "it is not there");
      if (opened.type === "refused") return this.#fail(header, named, opened.status, opened.why);
      const { descriptor, stats } = opened;
      const version = versionFrom(fields, versionOf(stats, null, null, this.#context.clock.wall()));
      const representation = represented(fields, version, path, stats.size);
      const { method } = outer.head;
      const isWhole = (method !== "GET" && method !== "HEAD") || status !== 200;
      const failed = (why: string): void => this.#tell(header, named, why, "the response was cut");
      answerOpen(outer, representation, descriptor, failed, isWhole ? { status, reason } : null);
    });
  }

  #fail(header: string, named: string, status: number, why: string): void {
    this.#tell(header, named, why, `answered ${status}`);
    answerError(this.outer, status);
  }

  #tell(header: string, named: string, why: string, outcome: string): void {
    this.#context.complaints.tell(
      `${requestName(this.outer)}: cannot send ${JSON.stringify(named)}, which the app named in ${header}: ${why}`,
      outcome,
    );
  }

  /** Without what is for us; nearly always that is nothing. */
  protected override shown(_status: number, fields: ResponseFields): ResponseFields {
    const { flat } = fields;
    for (let i = 0; i < flat.length; i += 2)
      if (FOR_US.has(flat[i]!.toLowerCase())) return ownFields(withoutFields(flat, FOR_US));
    return fields;
  }
}

/** The app's own validators count, where it sent any. */
function versionFrom(fields: ResponseFields, file: Validators): Validators {
  const etag = valueOf(fields.flat, "etag");
  const modified = valueOf(fields.flat, "last-modified");
  const date = modified === undefined ? null : parseHttpDate(modified);
  return {
    etag: etag !== undefined && /^(?:W\/)?"[\x21\x23-\x7e\x80-\xff]*"$/.test(etag) ? etag : file.etag,
    modifiedAt: date ?? file.modifiedAt,
    isDateStrong: date === null && file.isDateStrong,
  };
}

/** An empty Content-Type leaves it to us, as under nginx; X-Accel-Charset completes one of text. */
function represented(fields: ResponseFields, version: Validators, path: string, size: number): Representation {
  const said = valueOf(fields.flat, "content-type") ?? "";
  const charset = valueOf(fields.flat, "x-accel-charset") ?? "";
  const type = said === "" ? contentTypeOf(path, {}, charset === "" ? "utf-8" : charset) : said;
  const needsCharset = said !== "" && /^[\w.:+-]+$/.test(charset) && /^text\/[^;]*$/.test(type);
  const contentType = needsCharset ? `${type}; charset=${charset}` : type;
  const flat = [
    ...withoutFields(withoutFields(fields.flat, FOR_US), OF_BODY),
    "Content-Type",
    contentType,
    "Accept-Ranges",
    "bytes",
    "ETag",
    version.etag,
  ];
  if (version.modifiedAt !== -1) flat.push("Last-Modified", httpDate(version.modifiedAt));
  return new Representation(size, version, flat);
}
