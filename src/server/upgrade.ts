/** The binary upgrade (USR2), as the older server goes through it: operations/successor.ts starts the new one, this one leaves when that is ready. */
import type { OperationsPlan } from "../config/operations.ts";
import type { Notifier } from "../operations/notifier.ts";
import type { OtherServer } from "../operations/shared-cache.ts";
import type { Signals } from "../operations/signals.ts";
import { startSuccessor, type Successor } from "../operations/successor.ts";
import type { Log } from "../telemetry/log.ts";
import type { Entrance } from "./entrance.ts";
import type { House } from "./house.ts";

export interface UpgradeParts {
  readonly house: House;
  readonly entrance: Entrance;
  readonly signals: Signals;
  readonly notifier: Notifier;
  readonly log: Log;
  /** Is given the new server as soon as there is one. */
  readonly meet: (successor: OtherServer) => void;
}

export class Upgrade {
  readonly #plan: OperationsPlan;
  readonly #parts: UpgradeParts;
  /** While an upgrade is under way. */
  #successor: Successor | null = null;

  constructor(plan: OperationsPlan, parts: UpgradeParts) {
    this.#plan = plan;
    this.#parts = parts;
    parts.house.onMaintenance = () => this.#successor?.tell(parts.house.maintenance.inForce);
  }

  async run(): Promise<void> {
    const { house, entrance, signals, notifier, log, meet } = this.#parts;
    if (this.#successor !== null || house.phase !== "serving")
      return log.warning("Upgrade: not now; this request is ignored");
    log.info("Upgrade: starting a new server with these listeners; this one serves until it is ready");
    this.#successor = startSuccessor(this.#plan, entrance.sockets, house.maintenance.inForce, meet);
    const outcome = await this.#successor.outcome;
    this.#successor = null;
    if (outcome.type === "failed") return log.error(`Upgrade failed, this server goes on: ${outcome.detail}`);
    log.info(`Upgrade: the new server (pid ${outcome.pid}) is ready; this one finishes what it has`);
    notifier.mainPid(outcome.pid);
    entrance.leaveFiles();
    signals.requestStop({ why: "the upgrade", isQuick: false, isHandover: true });
  }
}
