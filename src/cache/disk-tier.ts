/**
 * Stored responses in files: what memory has no room for any more, and what a restart finds.
 *
 * The index, which tells what is in which file, is in memory: a StoredResponse without body and fields for each file. It is read from the files
 * when the server starts, while that serves already, and once more when another server of a handover has left the folder to this one. Bounds: the
 * bytes of all files, and those waiting to be written. A disk that is full or cannot be written is left in peace for a while.
 */
import type { Clock } from "../clock.ts";
import type { Log } from "../telemetry/log.ts";
import { DamagedFile, DiskFiles, type FileOfResponse } from "./disk-files.ts";
import type { Record } from "./disk-format.ts";
import { DiskTrouble } from "./disk-trouble.ts";
import type { Place } from "./purge.ts";
import { Store } from "./store.ts";
import { ownBody, StoredResponse } from "./stored-response.ts";
import type { Terms } from "./terms.ts";
import { Untrue } from "./untrue.ts";

/** Waiting to be written; what comes beyond stays in memory alone. */
const MOST_WAITING_BYTES = 33_554_432;
/** A file is counted as no less: so many bytes of memory does the index need for it, and of the disk a block. */
const LEAST_FILE_BYTES = 4096;
const FULL: ReadonlySet<string | undefined> = new Set(["ENOSPC", "EDQUOT"]);

export class DiskTier {
  readonly #files: DiskFiles;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #index: Store;
  /** The index by its files. */
  readonly #byName = new Map<string, StoredResponse>();
  readonly #waiting: { readonly record: Record; readonly stored: StoredResponse }[] = [];
  #waitingBytes = 0;
  #work: Promise<void> | null = null;
  readonly #trouble: DiskTrouble;
  readonly #loads = new Map<StoredResponse, Promise<StoredResponse | null>>();
  /** What has become untrue while files may be there that the index does not have. */
  readonly #untrue = new Untrue();
  #scan: Promise<void>;
  /** Other servers that use the folder for the length of a handover. */
  #others = 0;
  #isClosed = false;

  /** `takesOver`: from an older server. Throws where the folder cannot be made or written, or is another server's. */
  constructor(folder: string, limitBytes: number, takesOver: boolean, clock: Clock, log: Log) {
    this.#files = new DiskFiles(folder, takesOver, clock);
    this.#clock = clock;
    this.#log = log;
    this.#trouble = new DiskTrouble(folder, clock, log);
    this.#files.onLeft = (error) => this.#trouble.left(error);
    this.#index = new Store(limitBytes, (stored) => Math.max(LEAST_FILE_BYTES, stored.countedBytes));
    this.#index.onRemoved = (entry) => this.#forget(entry);
    this.#scan = this.#readIndex("found");
  }

  get index(): Store {
    return this.#index;
  }

  /** What other servers have left is in the index. */
  get whenRead(): Promise<void> {
    return this.#scan;
  }

  /** Writes it when there is time. */
  save(shelfName: string, target: string, stored: StoredResponse): void {
    const bytes = stored.bodyLength + 1024;
    if (this.#isClosed || this.#waitingBytes + bytes > MOST_WAITING_BYTES || this.#trouble.isResting) return;
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

  /** Whatever is meant is no longer true, or is past its time, also what the index does not have yet. */
  revoke(isMeant: (place: Place, tags: readonly string[]) => boolean, isSoft: boolean): void {
    this.#untrue.note(isMeant, isSoft);
  }

  /** An entry is past its time, also for who finds its file. */
  retire(entry: StoredResponse, now: number): void {
    entry.expire(now);
    if (entry.file === null) return;
    this.#byName.delete(entry.file);
    entry.file = this.#files.retire(entry.file);
    this.#byName.set(entry.file, entry);
  }

  /** Another server uses the folder too, until `shareNoMore`: files come and go that are not in the index. */
  share(): void {
    this.#others++;
    this.#untrue.begin();
  }

  shareNoMore(): void {
    this.#others--;
    this.#scan = this.#scan.then(() => this.#readIndex("taken over"));
  }

  /** Everything is written, and nothing more will be. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#scan;
    await this.#work;
    await this.#files.close();
  }

  // Private

  async #write(): Promise<void> {
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      await this.#writeOne(next.record, next.stored);
      this.#waitingBytes -= next.stored.bodyLength + 1024;
    }
    this.#work = null;
  }

  async #writeOne({ shelfName, target, terms }: Record, stored: StoredResponse): Promise<void> {
    if (stored.isRevoked || stored.body === null || this.#trouble.isResting) return;
    const body = typeof stored.body === "string" ? Buffer.from(stored.body, "latin1") : stored.body;
    // It may have been purged softly since it came, and may be while it is written.
    const record = { shelfName, target, terms: { ...terms, freshUntil: stored.freshUntil } };
    let file: FileOfResponse;
    try {
      file = await this.#put(record, body);
    } catch (error) {
      return this.#trouble.begin(error as Error);
    }
    this.#trouble.end();
    // What became untrue meanwhile must not be found by anybody.
    if (stored.isRevoked) return this.#files.remove(file.name);
    const entry = this.#enter(record, file);
    if (entry !== null && stored.freshUntil < entry.freshUntil) this.retire(entry, stored.freshUntil);
  }

  /** On a full disk what has not been used for long gives way. */
  async #put(record: Record, body: Buffer): Promise<FileOfResponse> {
    try {
      return await this.#files.write(record, body);
    } catch (error) {
      // Once that has not helped, it is somebody else who fills the disk.
      if (!FULL.has((error as NodeJS.ErrnoException).code) || this.#trouble.isThere) throw error;
      if (!this.#index.makeRoom(2 * (body.length + LEAST_FILE_BYTES))) throw error;
      await this.#files.settled();
      const file = await this.#files.write(record, body);
      this.#trouble.gaveWay(this.#index.counts.bytes);
      return file;
    }
  }

  #enter({ shelfName, target, terms }: Record, { name, bytes }: FileOfResponse): StoredResponse | null {
    const entry = new StoredResponse({ ...terms, flat: [], showsTags: true }, null);
    entry.file = name;
    entry.countedBytes = bytes;
    this.#byName.set(name, entry);
    if (this.#index.add(shelfName, target, entry)) return entry;
    this.#forget(entry);
    return null;
  }

  #forget({ file }: StoredResponse): void {
    if (file === null) return;
    this.#byName.delete(file);
    this.#files.remove(file);
  }

  async #read(entry: StoredResponse): Promise<StoredResponse | null> {
    const { file, resource } = entry;
    if (file === null || resource === null) return null;
    try {
      const { record, body } = await this.#files.read(file);
      const { shelf, target } = resource;
      if (record.shelfName !== shelf.name || record.target !== target || !isOf(entry, record.terms))
        throw new DamagedFile("it is another response's");
      if (entry.isRevoked) return null;
      const stored = new StoredResponse(record.terms, ownBody(body));
      // It may have been purged softly.
      stored.freshUntil = entry.freshUntil;
      return stored;
    } catch (error) {
      const isGone = (error as NodeJS.ErrnoException).code === "ENOENT";
      if (!entry.isRevoked && !isGone) this.#trouble.unreadable(error as Error);
      this.#index.remove(entry);
      return null;
    }
  }

  /** What other servers have left: all files that the index does not have, and entries whose file is gone. */
  async #readIndex(how: "found" | "taken over"): Promise<void> {
    this.#untrue.begin();
    const unseen = new Set(this.#byName.keys());
    let found = 0;
    try {
      for await (const name of this.#files.names()) {
        if (this.#isClosed) return;
        if (!unseen.delete(name) && !this.#byName.has(name) && (await this.#readEntry(name))) found++;
      }
      for (const name of unseen) {
        const entry = this.#byName.get(name);
        if (entry !== undefined) this.#index.remove(entry);
      }
    } catch (error) {
      this.#trouble.unreadable(error as Error);
    }
    if (this.#others === 0) this.#untrue.end();
    if (found > 0) this.#log.info(`Cache: ${found} response${found === 1 ? "" : "s"} ${how} in ${this.#files.folder}`);
  }

  async #readEntry(name: string): Promise<boolean> {
    // What cannot be opened just now is another server's, which removes it, or stays for the next start.
    const found = await this.#files.recordOf(name).catch(() => undefined);
    if (found === undefined || this.#byName.has(name)) return false;
    if (found === null) {
      this.#files.remove(name);
      return false;
    }
    const { shelfName, target, terms } = found.record;
    const now = this.#clock.now();
    const base = shelfName.split("\n", 1)[0]!;
    const verdict = this.#untrue.judge({ base, target }, terms.tags);
    const freshUntil = DiskFiles.isPast(name) ? Math.min(terms.freshUntil, now) : terms.freshUntil;
    const record = { shelfName, target, terms: { ...terms, freshUntil } };
    const present = this.#index.resource(shelfName, target)?.variants ?? [];
    const isOld = present.some(
      (one) =>
        one.variantKey === terms.variantKey && one.varyText === terms.vary.join(",") && one.bornAt >= terms.bornAt,
    );
    const isUseless = !new StoredResponse(record.terms, "").isWorthKeeping(now);
    if (isOld || isUseless || verdict === "untrue") {
      this.#files.remove(name);
      return false;
    }
    const entry = this.#enter(record, { name, bytes: found.bytes });
    if (entry !== null && verdict === "past its time") this.retire(entry, now);
    return entry !== null;
  }
}

/** Times go through the wall clock's large numbers, and come back a little rounded. */
const ROUNDED_MS = 1000;

function isOf(entry: StoredResponse, { vary, variantKey, bornAt }: Terms): boolean {
  const isVariant = vary.join(",") === entry.varyText && variantKey === entry.variantKey;
  return isVariant && Math.abs(bornAt - entry.bornAt) < ROUNDED_MS;
}
