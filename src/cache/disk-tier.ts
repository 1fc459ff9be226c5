/**
 * Stored responses in files: what memory has no room for any more, and what a restart finds. One file each, written beside its place and renamed
 * into it, so that a file is whole or not there; what is damaged nevertheless is found by its checksums, and is a miss.
 *
 * The index, which tells what is in which file, is in memory: a StoredResponse without body and fields for each file. It is read from the files
 * when the server starts, while that serves already. Bounds: the bytes of all files, and those waiting to be written.
 */
import { randomBytes } from "node:crypto";
import { accessSync, constants, mkdirSync } from "node:fs";
import { mkdir, open, readdir, readFile, rename, unlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import type { Clock } from "../clock.ts";
import type { Log } from "../telemetry/log.ts";
import { decodeHead, decodeRecord, encodeHead, encodeRecord, HEAD_BYTES, type Record } from "./disk-format.ts";
import type { Place } from "./purge.ts";
import { Store } from "./store.ts";
import { ownBody, StoredResponse } from "./stored-response.ts";

/** Waiting to be written; what comes beyond stays in memory alone. */
const MOST_WAITING_BYTES = 33_554_432;
/** A file is counted as no less: so many bytes of memory does the index need for it, and of the disk a block. */
const LEAST_FILE_BYTES = 4096;
const COMPLAIN_MS = 60_000;
const FOLDERS = 256;
const NAME = /^[\da-f]{24}\.response$/;
const PART = /^[\da-f]{24}\.part$/;

export class DiskTier {
  readonly #folder: string;
  readonly #clock: Clock;
  readonly #log: Log;
  /** Wall clock minus monotonic clock. */
  readonly #offset: number;
  readonly #index: Store;
  readonly #waiting: { readonly record: Record; readonly stored: StoredResponse }[] = [];
  #waitingBytes = 0;
  #work: Promise<void> | null = null;
  /** Files that are being removed: what is not true any more must not be there at the next start. */
  readonly #removals = new Set<Promise<void>>();
  #complainedAt = -Infinity;
  readonly #loads = new Map<StoredResponse, Promise<StoredResponse | null>>();
  /** What has become untrue while the index is read: what is found later may be that. Null once it is read. */
  #untrue: ((place: Place, tags: readonly string[]) => boolean)[] | null = [];
  readonly #scan: Promise<void>;
  #isClosed = false;

  /** Throws where the folder cannot be made or written. */
  constructor(folder: string, limitBytes: number, clock: Clock, log: Log) {
    this.#folder = folder;
    this.#clock = clock;
    this.#log = log;
    this.#offset = clock.wall() - clock.now();
    this.#index = new Store(limitBytes, (stored) => Math.max(LEAST_FILE_BYTES, stored.countedBytes));
    this.#index.onRemoved = ({ file }) => {
      if (file !== null) this.#remove(this.#path(file));
    };
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    accessSync(folder, constants.R_OK | constants.W_OK | constants.X_OK);
    this.#scan = this.#readIndex();
  }

  get index(): Store {
    return this.#index;
  }

  /** Writes it when there is time. */
  save(shelfName: string, target: string, stored: StoredResponse): void {
    const bytes = stored.bodyLength + 1024;
    if (this.#isClosed || this.#waitingBytes + bytes > MOST_WAITING_BYTES) return;
    this.#waitingBytes += bytes;
    this.#waiting.push({ record: { shelfName, target, terms: stored.terms }, stored });
    this.#work ??= this.#write();
  }

  /** The whole response of an index entry; null where its file cannot be read. */
  async load(entry: StoredResponse): Promise<StoredResponse | null> {
    let load = this.#loads.get(entry);
    if (load === undefined) {
      load = this.#read(entry).finally(() => this.#loads.delete(entry));
      this.#loads.set(entry, load);
    }
    return await load;
  }

  /** Whatever is meant is no longer true, also what the index does not have yet. */
  revoke(isMeant: (place: Place, tags: readonly string[]) => boolean): void {
    this.#untrue?.push(isMeant);
  }

  /** Everything is written, and nothing more will be. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#scan;
    await this.#work;
    await Promise.all(this.#removals);
  }

  // Private

  #remove(path: string): void {
    const removal = unlink(path).catch(() => {});
    this.#removals.add(removal);
    void removal.finally(() => this.#removals.delete(removal));
  }

  #path(file: string): string {
    return join(this.#folder, file.slice(0, 2), file);
  }

  async #write(): Promise<void> {
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      await this.#writeOne(next.record, next.stored);
      this.#waitingBytes -= next.stored.bodyLength + 1024;
    }
    this.#work = null;
  }

  async #writeOne(record: Record, stored: StoredResponse): Promise<void> {
    if (stored.isRevoked || stored.body === null) return;
    const file = `${randomBytes(12).toString("hex")}.response`;
    const path = this.#path(file);
    const part = path.replace(/response$/, "part");
    const body = typeof stored.body === "string" ? Buffer.from(stored.body, "latin1") : stored.body;
    const terms = encodeRecord(record, this.#offset);
    const head = encodeHead({
      termsLength: terms.length,
      termsCheck: crc32(terms),
      bodyLength: body.length,
      bodyCheck: crc32(body),
    });
    try {
      await writeFile(part, [head, terms, body], { mode: 0o600 }).catch(async (error: NodeJS.ErrnoException) => {
        if (error.code !== "ENOENT") throw error;
        await mkdir(join(this.#folder, file.slice(0, 2)), { mode: 0o700, recursive: true });
        await writeFile(part, [head, terms, body], { mode: 0o600 });
      });
      await rename(part, path);
    } catch (error) {
      await unlink(part).catch(() => {});
      return this.#complain("write", error as Error);
    }
    // What became untrue meanwhile must not be found by anybody.
    if (stored.isRevoked) await unlink(path).catch(() => {});
    else this.#enter(record, file, HEAD_BYTES + terms.length + body.length);
  }

  #enter({ shelfName, target, terms }: Record, file: string, bytes: number): void {
    const entry = new StoredResponse({ ...terms, flat: [], showsTags: true }, null);
    entry.file = file;
    entry.countedBytes = bytes;
    if (!this.#index.add(shelfName, target, entry)) this.#remove(this.#path(file));
  }

  async #read(entry: StoredResponse): Promise<StoredResponse | null> {
    const { file } = entry;
    if (file === null) return null;
    try {
      const bytes = await readFile(this.#path(file));
      const head = decodeHead(bytes);
      const bodyAt = HEAD_BYTES + (head?.termsLength ?? 0);
      const terms = bytes.subarray(HEAD_BYTES, bodyAt);
      const body = bytes.subarray(bodyAt);
      if (head === null || body.length !== head.bodyLength) throw new Error("it is cut short");
      if (crc32(terms) !== head.termsCheck || crc32(body) !== head.bodyCheck) throw new Error("it is damaged");
      const record = decodeRecord(terms, this.#offset);
      if (record === null) throw new Error("it is another version's");
      if (entry.isRevoked) return null;
      const stored = new StoredResponse(record.terms, ownBody(body));
      // It may have been purged softly.
      stored.freshUntil = entry.freshUntil;
      return stored;
    } catch (error) {
      if (!entry.isRevoked) this.#complain("read", error as Error);
      this.#index.remove(entry);
      return null;
    }
  }

  /** What earlier servers have left. */
  async #readIndex(): Promise<void> {
    let found = 0;
    for (let at = 0; at < FOLDERS && !this.#isClosed; at++) {
      const name = at.toString(16).padStart(2, "0");
      const files = await readdir(join(this.#folder, name)).catch(() => []);
      for (const file of files) {
        if (this.#isClosed) break;
        // Our own part files, of an earlier life, since no folder is read while it is written to by this one's first files.
        if (PART.test(file)) await this.#removeOld(join(this.#folder, name, file));
        else if (NAME.test(file) && (await this.#readEntry(file))) found++;
      }
    }
    this.#untrue = null;
    if (found > 0) this.#log.info(`Cache: ${found} responses found in ${this.#folder}`);
  }

  /** A part file that nobody has written to for a minute. */
  async #removeOld(path: string): Promise<void> {
    const handle = await open(path).catch(() => null);
    if (handle === null) return;
    const { mtimeMs } = await handle.stat();
    await handle.close();
    if (this.#clock.wall() - mtimeMs > COMPLAIN_MS) await unlink(path).catch(() => {});
  }

  async #readEntry(file: string): Promise<boolean> {
    const path = this.#path(file);
    const record = await this.#readRecord(path).catch(() => null);
    if (record === null) {
      await unlink(path).catch(() => {});
      return false;
    }
    const { shelfName, target, terms } = record.record;
    const present = this.#index.resource(shelfName, target)?.variants ?? [];
    const isOld = present.some(
      (one) =>
        one.variantKey === terms.variantKey && one.varyText === terms.vary.join(",") && one.bornAt >= terms.bornAt,
    );
    if (present.some((one) => one.file === file)) return false;
    const base = shelfName.split("\n", 1)[0]!;
    const isUntrue = this.#untrue?.some((isMeant) => isMeant({ base, target }, terms.tags)) === true;
    const isUseless = !new StoredResponse(terms, "").isWorthKeeping(this.#clock.now());
    if (isOld || isUntrue || isUseless) {
      await unlink(path).catch(() => {});
      return false;
    }
    this.#enter(record.record, file, record.bytes);
    return true;
  }

  async #readRecord(path: string): Promise<{ readonly record: Record; readonly bytes: number } | null> {
    const handle = await open(path);
    try {
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0);
      const head = decodeHead(buffer.subarray(0, bytesRead));
      if (head === null) return null;
      const { size } = await handle.stat();
      if (size !== HEAD_BYTES + head.termsLength + head.bodyLength) return null;
      const terms = Buffer.alloc(head.termsLength);
      await handle.read(terms, 0, terms.length, HEAD_BYTES);
      if (crc32(terms) !== head.termsCheck) return null;
      const record = decodeRecord(terms, this.#offset);
      return record === null ? null : { record, bytes: size };
    } finally {
      await handle.close();
    }
  }

  #complain(what: string, { message }: Error): void {
    const now = this.#clock.now();
    if (now - this.#complainedAt < COMPLAIN_MS) return;
    this.#complainedAt = now;
    this.#log.warning(`Cache: cannot ${what} a file in ${this.#folder} (--cache-disk): ${message}`);
  }
}
