/**
 * Own pages for errors (`error-pages` in the configuration): what maitred answers itself with such a status gets the page in place of its own, and
 * with `intercept` what the application answers too. The other fields stay (Retry-After, WWW-Authenticate, Allow ...). Of several files for a status
 * the client gets the one that it accepts best; who accepts none of them gets what there was.
 */
import type { ErrorPagesPlan } from "../config/error-pages.ts";
import type { Refusal } from "../http/error-response.ts";
import type { Exchange, FilePart } from "../http/exchange.ts";
import { withoutFields } from "../http/field-lines.ts";
import type { Stage } from "../http/handler.ts";
import { carriesBody } from "../http/http1/response-head.ts";
import { chooseMediaType } from "../http/negotiation.ts";
import { PassingSink, passOn } from "../http/passing.ts";
import { ownFields } from "../http/response-changes.ts";
import type { ResponseFields } from "../http/response-fields.ts";
import type { Log } from "../telemetry/log.ts";
import { type PageFile as Page, readPage } from "./page-file.ts";

/** The pages of a route, in memory. */
export class ErrorPages {
  readonly intercepts: boolean;
  readonly #pages = new Map<string, readonly Page[]>();

  /** The pages are read now, once. One that cannot be is told and missing. */
  constructor(plan: ErrorPagesPlan, log: Log) {
    this.intercepts = plan.intercepts;
    for (const { status, files } of plan.pages) {
      const read = files.flatMap((path) => readPage(path, log) ?? []);
      if (read.length > 0) this.#pages.set(status, read);
    }
  }

  /** The one for this status that the client accepts best; null: none. */
  pageFor(status: number, accept: string | undefined): Page | null {
    if (status < 400 || !carriesBody(status, "GET")) return null;
    const pages = this.#pages.get(String(status)) ?? this.#pages.get(`${Math.floor(status / 100)}xx`);
    if (pages === undefined) return null;
    const type = chooseMediaType(
      accept,
      pages.map((page) => page.type),
    );
    return pages.find((page) => page.type === type) ?? null;
  }

  /** For what is refused before it has an exchange; null: no page. */
  refusal(status: number, accept: string | undefined): Refusal | null {
    const page = this.pageFor(status, accept);
    return page === null ? null : { fields: fieldsWith(page, NO_STORE), body: page.body };
  }
}

/** Routes with the same pages share them. */
export class ErrorPageShelf {
  readonly #log: Log;
  readonly #read = new Map<string, ErrorPages>();

  constructor(log: Log) {
    this.#log = log;
  }

  of(plan: ErrorPagesPlan): ErrorPages {
    const key = JSON.stringify(plan);
    const pages = this.#read.get(key) ?? new ErrorPages(plan, this.#log);
    this.#read.set(key, pages);
    return pages;
  }
}

export function errorPages(pages: ErrorPages): Stage {
  return (next) => (outer) => {
    if (outer.webSocket !== null) return next(outer);
    next(passOn(outer, new ErrorPagesSink(outer, pages)));
  };
}

class ErrorPagesSink extends PassingSink {
  readonly #pages: ErrorPages;
  /** The page has gone out; what the app still sends is taken and dropped. */
  #isAnswered = false;

  constructor(outer: Exchange, pages: ErrorPages) {
    super(outer);
    this.#pages = pages;
  }

  override complete(
    inner: Exchange,
    status: number,
    reason: string,
    fields: ResponseFields,
    body: string | Buffer,
  ): void {
    const page = this.#pageFor(inner, status);
    if (page === null) return super.complete(inner, status, reason, fields, body);
    super.complete(inner, status, reason, fieldsWith(page, fields), page.body);
  }

  override start(inner: Exchange, status: number, reason: string, fields: ResponseFields): void {
    const page = this.#pageFor(inner, status);
    if (page === null) return super.start(inner, status, reason, fields);
    this.#isAnswered = true;
    super.complete(inner, status, reason, fieldsWith(page, fields), page.body);
  }

  override write(inner: Exchange, chunk: Buffer): void {
    if (this.#isAnswered) inner.onSent?.(chunk.length);
    else super.write(inner, chunk);
  }

  override sendFile(inner: Exchange, part: FilePart, returned: (sent: number) => void): boolean {
    return !this.#isAnswered && super.sendFile(inner, part, returned);
  }

  override end(inner: Exchange, trailers: ResponseFields | null): void {
    if (!this.#isAnswered) super.end(inner, trailers);
  }

  override cut(inner: Exchange): void {
    if (this.#isAnswered) return;
    const page = this.outer.state === "streaming" ? null : this.#pageFor(null, 502);
    if (page === null) return super.cut(inner);
    this.outer.isOwnError = true;
    this.outer.complete(502, "", fieldsWith(page, NO_STORE), page.body);
  }

  // Private

  /** `inner` is null where the error is ours. */
  #pageFor(inner: Exchange | null, status: number): Page | null {
    if (status < 400 || (inner !== null && !inner.isOwnError && !this.#pages.intercepts)) return null;
    return this.#pages.pageFor(status, this.outer.head.headers.get("accept"));
  }
}

// Private

const NO_STORE: ResponseFields = ownFields(["Cache-Control", "no-store"]);

/** What speaks of the body that is replaced. */
const OF_THE_BODY: ReadonlySet<string> = new Set([
  "content-type",
  "content-length",
  "content-encoding",
  "content-language",
  "content-disposition",
  "content-md5",
  "content-digest",
  "repr-digest",
  "digest",
  "etag",
  "last-modified",
  "accept-ranges",
]);

function fieldsWith(page: Page, { flat }: ResponseFields): ResponseFields {
  return ownFields(["Content-Type", page.contentType, ...withoutFields(flat, OF_THE_BODY)]);
}
