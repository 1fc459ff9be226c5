/** Counts client connections, in total and by client (an IPv4 address, or the /64 of an IPv6 one), and says whether one more may come in. Decides only; the doorkeeper acts. */
import { networkOf } from "../http/ip-network.ts";

export interface ConnectionLimitsSettings {
  /** --limit-connections, or what the limit of open files allows; 0 = no limit. */
  readonly total: number;
  /** --limit-connections-per-client; 0 = no limit. */
  readonly perClient: number;
}

/** `full`: an idle connection has to go first. `client`: this client has enough. */
export type Admission = "in" | "full" | "client";

export class ConnectionLimits {
  readonly settings: ConnectionLimitsSettings;
  readonly #byClient = new Map<string, number>();
  #total = 0;

  constructor(settings: ConnectionLimitsSettings) {
    this.settings = settings;
  }

  get total(): number {
    return this.#total;
  }

  /** May one more come from this address (empty for a Unix socket, which has none, and for whoever is not known yet)? */
  ask(address: string): Admission {
    const { total } = this.settings;
    if (this.#hasEnough(address)) return "client";
    return total > 0 && this.#total >= total ? "full" : "in";
  }

  enter(address: string): void {
    this.#total++;
    this.#count(address);
  }

  /** One that entered without an address turns out to have this one. False: it has enough connections, and this one is not counted as its own. */
  identify(address: string): boolean {
    if (this.#hasEnough(address)) return false;
    this.#count(address);
    return true;
  }

  /** One that entered is closed. */
  leave(address: string): void {
    this.#total--;
    const client = this.#client(address);
    const count = this.#byClient.get(client);
    if (count === undefined) return;
    if (count > 1) this.#byClient.set(client, count - 1);
    else this.#byClient.delete(client);
  }

  // Private

  /** Empty where nobody is counted: a Unix socket, somebody who is not known yet, no limit. */
  #client(address: string): string {
    if (this.settings.perClient === 0 || address === "") return "";
    return networkOf(address, 32, 64) ?? address;
  }

  #hasEnough(address: string): boolean {
    const client = this.#client(address);
    return client !== "" && (this.#byClient.get(client) ?? 0) >= this.settings.perClient;
  }

  #count(address: string): void {
    const client = this.#client(address);
    if (client !== "") this.#byClient.set(client, (this.#byClient.get(client) ?? 0) + 1);
  }
}

/** Descriptors that are nobody's connection: listeners, logs, pipes, what Node itself holds. */
const OWN_FILES = 64;

/**
 * How many connections leave enough descriptors for everything else. An accept that finds none fails, and its client is dropped without a word.
 * @param openFiles the limit of open files (RLIMIT_NOFILE); 0 = unknown.
 * @param seats links to workers, once; a reload has twice as many for a while.
 */
export function connectionsWithin(openFiles: number, seats: number): number {
  if (openFiles === 0) return 0;
  // An eighth is left to spool files; a body that gets none is streamed.
  return Math.max(16, Math.floor(((openFiles - OWN_FILES - 2 * seats) * 7) / 8));
}
