/**
 * The handler of a folder whose files are served.
 *
 *     request ─▶ in memory, asked of the disk within the last second ─▶ answered at once
 *            └─▶ path ─▶ opened ─▶ forms (.br, .zst, .gz) ─▶ small: into memory, answered from there │ large: streamed
 *                          └─▶ a folder: its index, its listing │ nothing: the fallback, the app, 404
 */
import { close } from "node:fs";
import type { StaticPlan } from "../config/static-plan.ts";
import { answerError } from "../http/error-response.ts";
import type { Exchange } from "../http/exchange.ts";
import { requestName } from "../http/request-name.ts";
import type { Handler } from "../http/handler.ts";
import { chooseForm, type Coding } from "../http/negotiation.ts";
import { appended, dress, ownFields } from "../http/response-changes.ts";
import { answerKept, answerOpen } from "./answer.ts";
import type { FilesContext } from "./context.ts";
import { KeptFile, type KeptFiles, type KeptForm } from "./file-memory.ts";
import { filePath } from "./file-path.ts";
import { closeAll, type Forms, formsOf, readForms, signatureOf } from "./forms.ts";
import { hashedNames, type NameTest } from "./hashed-names.ts";
import { answerListing } from "./listing.ts";
import { contentTypeOf } from "./media-types.ts";
import { isNavigation } from "./navigation.ts";
import { Folder, type Opened } from "./open-file.ts";
import { type Policy, type Representation, represent, versionOf } from "./representation.ts";

/** A kept file is believed for so long. */
const BELIEVED_MS = 1000;
/** Under this name the fallback is kept: no path is like it. */
const FALLBACK = "fallback";
const FOR_EVER = "max-age=31536000, immutable";

/** @param otherwise answers where nothing is found, and other methods than GET and HEAD; null: 404 and 405. */
export function staticFolder(plan: StaticPlan, context: FilesContext, otherwise: Handler | null): Handler {
  const folder = new StaticFolder(plan, context, otherwise);
  return (exchange) => folder.answer(exchange);
}

class StaticFolder {
  readonly #plan: StaticPlan;
  readonly #context: FilesContext;
  readonly #otherwise: Handler | null;
  readonly #folder: Folder;
  readonly #isHashed: NameTest;
  readonly #kept: KeptFiles = new Map();

  constructor(plan: StaticPlan, context: FilesContext, otherwise: Handler | null) {
    this.#plan = plan;
    this.#context = context;
    this.#otherwise = otherwise;
    this.#folder = new Folder(plan.root, plan.outsideLinks);
    this.#isHashed = hashedNames(plan.immutable, plan.fallback !== null);
  }

  answer(exchange: Exchange): void {
    const { method, path } = exchange.head;
    if (method !== "GET" && method !== "HEAD") return this.#refuseMethod(exchange);
    const kept = this.#kept.get(path);
    if (kept === undefined) return this.#find(exchange);
    if (exchange.receivedAt - kept.checkedAt < BELIEVED_MS) return this.#answerKept(exchange, kept);
    if (kept.waiting !== null) {
      exchange.state = "given";
      kept.waiting.push(exchange);
      return;
    }
    kept.waiting = [];
    this.#find(exchange);
  }

  // Private

  #answerKept(exchange: Exchange, kept: KeptFile): void {
    kept.isUsed = true;
    const { forms } = kept;
    const form = forms.length === 1 ? forms[0] : chosen(forms, exchange);
    answerKept(exchange, form.representation, form.body);
  }

  #refuseMethod(exchange: Exchange): void {
    if (this.#otherwise !== null) return this.#otherwise(exchange);
    dress(exchange, (_exchange, _status, fields) => appended(fields, ALLOW));
    answerError(exchange, 405);
  }

  #find(exchange: Exchange): void {
    const { path } = exchange.head;
    const { file, dotfiles } = this.#plan;
    const found =
      file === null ? filePath(this.#below(path), dotfiles) : ({ type: "path", path: file, isFolder: false } as const);
    if (found.type !== "path") {
      if (this.#otherwise !== null) return this.#otherwise(exchange);
      return answerError(exchange, found.type === "malformed" ? 400 : 404);
    }
    exchange.state = "given";
    // A path in escapes has other spellings: it would be kept once for each.
    const key = path.includes("%") ? null : path;
    if (found.isFolder && found.path !== "") return this.#findIndex(exchange, found.path, key);
    this.#folder.open(found.path, (opened) => {
      if (opened.type !== "folder") return this.#opened(exchange, found.path, opened, key);
      if (found.isFolder) return this.#findIndex(exchange, found.path, key);
      this.#whereFolderAnswers(found.path, (answers) => {
        if (!answers) return this.#missing(exchange, key);
        if (key !== null) this.#forget(key);
        this.#redirect(exchange);
      });
    });
  }

  /** What stands for the folder. */
  #findIndex(exchange: Exchange, path: string, key: string | null, at: number = 0): void {
    const name = this.#plan.index[at];
    if (name !== undefined) {
      const file = path === "" ? name : `${path}/${name}`;
      return this.#folder.open(file, (opened) => {
        if (opened.type === "missing" || opened.type === "folder") this.#findIndex(exchange, path, key, at + 1);
        else this.#opened(exchange, file, opened, key);
      });
    }
    if (!this.#plan.listing) return this.#missing(exchange, key);
    if (key !== null) this.#forget(key);
    const list = (opened: Opened): void => {
      if (opened.type === "file") close(opened.descriptor, () => {});
      if (opened.type !== "folder") return this.#missing(exchange, key);
      answerListing(exchange, this.#folder, path, opened.descriptor, this.#plan.dotfiles, (why) =>
        this.#complain(exchange, path, 500, why),
      );
    };
    this.#folder.open(path, list, true);
  }

  /** A slash at the end of the path would lead to something. */
  #whereFolderAnswers(path: string, done: (answers: boolean) => void, at: number = 0): void {
    const name = this.#plan.index[at];
    if (name === undefined) return done(this.#plan.listing);
    this.#folder.open(`${path}/${name}`, (opened) => {
      if (opened.type === "file") close(opened.descriptor, () => {});
      if (opened.type === "missing" || opened.type === "folder") this.#whereFolderAnswers(path, done, at + 1);
      else done(true);
    });
  }

  /** So that relative links in its page are right. Never to another host: "//name" would be one. */
  #redirect(exchange: Exchange): void {
    const { head, peer } = exchange;
    const path = `${peer.prefix}${head.path}/`.replace(/^\/+/, "/");
    const fields = ownFields(["Location", head.query === "" ? path : `${path}?${head.query}`]);
    exchange.complete(301, "Moved Permanently", fields, "");
  }

  #missing(exchange: Exchange, key: string | null): void {
    if (key !== null) this.#forget(key);
    const { fallback } = this.#plan;
    if (fallback !== null && isNavigation(exchange.head)) return this.#fallBack(exchange, fallback);
    if (this.#otherwise === null) return answerError(exchange, 404);
    if (exchange.state === "done") return;
    exchange.state = "waiting";
    this.#otherwise(exchange);
  }

  #fallBack(exchange: Exchange, fallback: string): void {
    const kept = this.#kept.get(FALLBACK);
    if (kept !== undefined && exchange.receivedAt - kept.checkedAt < BELIEVED_MS)
      return this.#answerKept(exchange, kept);
    this.#folder.open(fallback, (opened) => {
      if (opened.type === "file") return this.#opened(exchange, fallback, opened, FALLBACK);
      this.#complain(exchange, fallback, 404, "the fallback is not there");
    });
  }

  #opened(exchange: Exchange, path: string, opened: Opened, key: string | null): void {
    if (opened.type === "missing" || opened.type === "folder") return this.#missing(exchange, key);
    if (opened.type === "refused") {
      if (key !== null) this.#forget(key);
      return this.#complain(exchange, path, opened.status, opened.why);
    }
    if (exchange.state === "done" && !this.#isAwaited(key)) return close(opened.descriptor, () => {}); // the client has left
    const contentType = contentTypeOf(path, this.#plan.types, this.#plan.charset);
    formsOf(this.#folder, path, opened, this.#plan.precompressed ? contentType : null, (forms) => {
      const policy = this.#policy(path, contentType, forms, key);
      const { memory } = this.#context;
      if (forms.some(({ stats }) => stats.size > memory.largest))
        return this.#answerOpen(exchange, path, forms, policy, key);
      this.#answerSmall(exchange, path, forms, policy, key);
    });
  }

  /** It is in memory and unchanged, or read into memory. */
  #answerSmall(exchange: Exchange, path: string, forms: Forms, policy: Policy, key: string | null): void {
    const { memory, clock } = this.#context;
    const signature = signatureOf(forms, clock.wall());
    const known = key === null ? undefined : this.#kept.get(key);
    if (known !== undefined && signature !== "" && known.signature === signature) {
      closeAll(forms);
      known.checkedAt = clock.now();
      this.#answerKept(exchange, known);
      return this.#answerWaiting(known);
    }
    readForms(forms, (read) => {
      if (read.type === "changed") return this.#answerOpen(exchange, path, forms, policy, key);
      closeAll(forms);
      if (read.type === "failed") {
        if (key !== null) this.#forget(key);
        return this.#complain(exchange, path, 500, read.why);
      }
      const kept = read.forms.map(({ form, bytes, hash }): KeptForm => {
        const version = versionOf(form.stats, hash, form.coding, clock.wall());
        const body = bytes.length <= TEXT_BYTES ? bytes.toString("latin1") : bytes;
        return {
          coding: form.coding,
          representation: represent(bytes.length, version, form.coding, policy),
          body,
        };
      });
      const file = new KeptFile(kept as [KeptForm, ...KeptForm[]], signature, clock.now());
      if (key === null) return this.#answerKept(exchange, file);
      const before = this.#kept.get(key);
      memory.keep(this.#kept, key, file);
      this.#answerKept(exchange, file);
      if (before !== undefined) this.#answerWaiting(before, file);
    });
  }

  /** Streams the form that the client likes best. */
  #answerOpen(exchange: Exchange, path: string, forms: Forms, policy: Policy, key: string | null): void {
    if (key !== null) this.#forget(key);
    const best = chosen(forms, exchange);
    closeAll(forms.filter((form) => form !== best));
    const version = versionOf(best.stats, null, best.coding, this.#context.clock.wall());
    const representation: Representation = represent(best.stats.size, version, best.coding, policy);
    answerOpen(exchange, representation, best.descriptor, (why) => this.#tell(exchange, path, why));
  }

  #policy(path: string, contentType: string, forms: Forms, key: string | null): Policy {
    const vary: string[] = forms.length > 1 ? ["Accept-Encoding"] : [];
    if (key === FALLBACK) vary.push("Accept");
    return { contentType, cacheControl: this.#cacheControl(path, contentType, key), vary };
  }

  /** Pages name the files that belong to them: they are asked for again each time, so that nobody gets old ones with new names. */
  #cacheControl(path: string, contentType: string, key: string | null): string {
    const { maxAgeMs } = this.#plan;
    if (key !== FALLBACK && this.#isHashed(path)) return FOR_EVER;
    if (maxAgeMs === null) return "";
    return maxAgeMs === 0 || contentType.startsWith("text/html")
      ? "no-cache"
      : `max-age=${Math.floor(maxAgeMs / 1000)}`;
  }

  /** The part of the path below the folder, in escapes. */
  #below(path: string): string {
    const { prefix } = this.#plan;
    if (prefix === "") return path;
    // What matched is the decoded path: escapes in the prefix are three characters for one byte.
    let at = 0;
    for (let left = Buffer.byteLength(prefix); left > 0; left--) at += path.charCodeAt(at) === PERCENT ? 3 : 1;
    return path.slice(at);
  }

  /** Others wait for what the disk says about it. */
  #isAwaited(key: string | null): boolean {
    const kept = key === null ? undefined : this.#kept.get(key);
    if (kept === undefined || kept.waiting === null) return false;
    if (kept.waiting.length > 0) return true;
    kept.waiting = null;
    return false;
  }

  /** Those that have waited for the disk's answer about a file get what is known now. */
  #answerWaiting(kept: KeptFile, now: KeptFile = kept): void {
    const waiting = kept.waiting ?? [];
    kept.waiting = null;
    for (const exchange of waiting) this.#answerKept(exchange, now);
  }

  /** It is not what it was: those who waited ask for themselves. */
  #forget(key: string): void {
    const kept = this.#kept.get(key);
    if (kept === undefined) return;
    this.#context.memory.drop(this.#kept, key);
    const waiting = kept.waiting ?? [];
    kept.waiting = null;
    for (const exchange of waiting) this.#find(exchange);
  }

  #complain(exchange: Exchange, path: string, status: number, why: string): void {
    this.#tell(exchange, path, why, `answered ${status}`);
    answerError(exchange, status, status === 503 ? 1 : undefined);
  }

  #tell(exchange: Exchange, path: string, why: string, outcome: string = "the response was cut"): void {
    const file = JSON.stringify(`${this.#plan.root}/${path}`);
    this.#context.complaints.tell(`${requestName(exchange)}: cannot send ${file}: ${why}`, outcome);
  }
}

const PERCENT = 0x25;
/** With its head this leaves as one string. */
const TEXT_BYTES = 15_360;

const ALLOW = ownFields(["Allow", "GET, HEAD"]);

function chosen<T extends { readonly coding: Coding | null }>(forms: readonly [T, ...T[]], { head }: Exchange): T {
  return chooseForm(head.headers.joined("accept-encoding"), forms);
}
