/** The forms of one file: as it is, and those that lie compressed beside it (`app.css`, `app.css.br`). All are open until they are closed here. */
import { hash } from "node:crypto";
import { close, read, type Stats } from "node:fs";
import type { Coding } from "../http/negotiation.ts";
import { isCompressed } from "./media-types.ts";
import type { Folder } from "./open-file.ts";

export interface Form {
  readonly coding: Coding | null;
  readonly descriptor: number;
  readonly stats: Stats;
}

/** The file as it is, then the others, the smallest first. */
export type Forms = readonly [Form, ...Form[]];

const SUFFIXES: readonly (readonly [suffix: string, coding: Coding])[] = [
  [".br", "br"],
  [".zst", "zstd"],
  [".gz", "gzip"],
];
/** One that is older than the file by more than this was made of another version of it. Less can be the order in which both were unpacked. */
const OUTDATED_MS = 60_000;
/** Changed so recently, a file can change again without a new time stamp. */
const UNSETTLED_MS = 1000;

/** @param contentType of the file, or null where compressed forms are not wanted. */
export function formsOf(
  folder: Folder,
  path: string,
  { descriptor, stats }: { readonly descriptor: number; readonly stats: Stats },
  contentType: string | null,
  done: (forms: Forms) => void,
): void {
  const plain: Form = { coding: null, descriptor, stats };
  if (contentType === null || isCompressed(contentType)) return done([plain]);
  const others: Form[] = [];
  let left = SUFFIXES.length;
  for (const [suffix, coding] of SUFFIXES) {
    folder.open(path + suffix, (opened) => {
      if (opened.type === "file") {
        const form = { coding, descriptor: opened.descriptor, stats: opened.stats };
        const isOf = opened.stats.mtimeMs >= stats.mtimeMs - OUTDATED_MS && opened.stats.size < stats.size;
        if (isOf) others.push(form);
        else closeAll([form]);
      }
      if (--left > 0) return;
      done([plain, ...others.toSorted((a, b) => a.stats.size - b.stats.size)]);
    });
  }
}

export function closeAll(forms: readonly Form[]): void {
  for (const { descriptor } of forms) close(descriptor, () => {});
}

/** What the disk says of them all; empty where one is so new that it may change without saying so. */
export function signatureOf(forms: Forms, now: number): string {
  let signature = "";
  for (const { coding, stats } of forms) {
    if (Math.abs(now - Math.max(stats.mtimeMs, stats.ctimeMs)) < UNSETTLED_MS) return "";
    signature += `${coding ?? ""} ${stats.dev} ${stats.ino} ${stats.size} ${stats.mtimeMs} ${stats.ctimeMs};`;
  }
  return signature;
}

export interface ReadForm {
  readonly form: Form;
  readonly bytes: Buffer;
  /** Of the bytes. */
  readonly hash: string;
}

export type ReadForms =
  | { readonly type: "read"; readonly forms: readonly ReadForm[] }
  /** One has grown meanwhile. */
  | { readonly type: "changed" }
  | { readonly type: "failed"; readonly why: string };

/** Reads them into memory; they stay open. */
export function readForms(forms: Forms, done: (read: ReadForms) => void, gathered: readonly ReadForm[] = []): void {
  const form = forms[gathered.length];
  if (form === undefined) return done({ type: "read", forms: gathered });
  readWhole(form, (read) => {
    if (read === null) return done({ type: "changed" });
    if (typeof read === "string") return done({ type: "failed", why: read });
    const digest = hash("sha1", read, "base64url").slice(0, 22);
    readForms(forms, done, [...gathered, { form, bytes: read, hash: digest }]);
  });
}

// Private

/** Its bytes, as far as they go; null where there are more than it had, a text where they cannot be read. */
function readWhole({ descriptor, stats }: Form, done: (read: Buffer | string | null) => void): void {
  const buffer = Buffer.allocUnsafeSlow(stats.size + 1);
  const next = (at: number): void =>
    read(descriptor, buffer, at, buffer.length - at, at, (error, count) => {
      if (error !== null) return done(error.message);
      const end = at + count;
      if (end > stats.size) return done(null);
      if (count === 0 || end === 0) return done(buffer.subarray(0, end));
      next(end);
    });
  next(0);
}
