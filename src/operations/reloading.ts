/**
 * A reload: the configuration is read again, new workers start from it and from the code as it is now, and when all of that is good the new routes
 * take over. Otherwise nothing has changed, and whoever asked hears why. One at a time; who asks meanwhile gets one more after it.
 */
import type { Plan } from "../config/plan.ts";
import { waitingForRestart } from "../config/plan-changes.ts";
import type { PlanResult } from "../config/read-plan.ts";
import { configurationOf } from "./status.ts";
import type { Log } from "../telemetry/log.ts";
import type { ReloadOutcome } from "../workers/supervisor.ts";

export interface ReloadingHouse {
  /** Reads the configuration, the environment and the command line again. */
  reread(): Promise<PlanResult>;
  /** New workers by this plan, in pools that are there at once; after a failure the old ones, and what they were made from, are there as before. */
  renew(plan: Plan): Promise<ReloadOutcome>;
  /** Routes and limits by this plan, for all requests from now on. Workers that it has no use for any more may leave. */
  adopt(plan: Plan): void;
  readonly log: Log;
}

export class Reloading {
  readonly #started: Plan;
  readonly #house: ReloadingHouse;
  /** In development what was asked last counts, and broken code does not keep the old one: nothing waits for anything. */
  readonly #isDevelopment: boolean;
  #running: Promise<ReloadOutcome> | null = null;
  #following: Promise<ReloadOutcome> | null = null;
  #plan: Plan;

  constructor(started: Plan, house: ReloadingHouse) {
    this.#started = started;
    this.#plan = started;
    this.#house = house;
    this.#isDevelopment = started.reload !== null;
    this.#tell();
  }

  /** The plan in force. */
  get plan(): Plan {
    return this.#plan;
  }

  run(): Promise<ReloadOutcome> {
    if (this.#isDevelopment) return this.#reload();
    if (this.#running !== null) {
      this.#house.log.info("Reload: one is under way; another follows it");
      return (this.#following ??= this.#running.then(() => {
        this.#following = null;
        return this.run();
      }));
    }
    const running = this.#reload().finally(() => {
      if (this.#running === running) this.#running = null;
    });
    this.#running = running;
    return running;
  }

  async #reload(): Promise<ReloadOutcome> {
    const { log } = this.#house;
    const read = await this.#house.reread();
    if (read.type !== "plan") return this.#refuse(read);
    const { plan } = read;
    const coming = this.#house.renew(plan);
    if (this.#isDevelopment) this.#adopt(plan);
    const outcome = await coming;
    if (outcome.type === "failed") return outcome;
    if (!this.#isDevelopment) this.#adopt(plan);
    const waiting = waitingForRestart(this.#started, plan);
    if (waiting.length === 0) return outcome;
    const notice = `Configuration: restart to apply ${waiting.join(", ")}`;
    log.warning(notice);
    return { ...outcome, notice };
  }

  #adopt(plan: Plan): void {
    this.#plan = plan;
    this.#house.adopt(plan);
    this.#tell();
  }

  #tell(): void {
    const inForce = configurationOf(this.#plan);
    if (inForce === null) return;
    const { file, sites, routes } = inForce;
    this.#house.log.info(
      `Configuration: ${file} (${sites} site${sites === 1 ? "" : "s"}, ${routes} route${routes === 1 ? "" : "s"})`,
    );
  }

  #refuse(read: Exclude<PlanResult, { type: "plan" }>): ReloadOutcome {
    const mistakes = read.type === "mistakes" ? read.mistakes : ["the command line asks for help"];
    const { log } = this.#house;
    for (const mistake of mistakes) log.error(mistake);
    const count = `${mistakes.length} mistake${mistakes.length === 1 ? "" : "s"}`;
    const message = `the configuration has ${count}, nothing has changed`;
    log.error(`Reload failed: ${message}`);
    return { type: "failed", message, traceback: mistakes.join("\n") };
  }
}
