/** Where clients come in: the listeners, with the street door behind them, and the address of health checks, which has no street door. */
import type { Clock } from "../clock.ts";
import { bindText } from "../config/bind.ts";
import type { Plan } from "../config/plan.ts";
import { adopter, doors, limitsOfConnections } from "../edge/doors.ts";
import { Edge } from "../edge/edge.ts";
import { type BoundListener, Listener, ListenError } from "../edge/listener.ts";
import { alpnProtocols } from "../edge/protocol.ts";
import { TlsDoor } from "../edge/tls/door.ts";
import { TlsError } from "../edge/tls/key-pair.ts";
import { HealthDoor } from "../operations/health-door.ts";
import type { Log } from "../telemetry/log.ts";
import { mostSeats } from "../workers/pools.ts";
import { CannotStart } from "./cannot-start.ts";
import type { House } from "./house.ts";

export class Entrance {
  readonly edge: Edge;
  readonly #plan: Plan;
  readonly #house: House;
  readonly #health: HealthDoor;
  #tls: TlsDoor | null = null;
  #listeners: readonly BoundListener[] = [];
  #healthListener: Listener | null = null;

  constructor(plan: Plan, house: House, log: Log) {
    this.#plan = plan;
    this.#house = house;
    this.edge = new Edge(house.context, limitsOfConnections(plan, mostSeats(plan), log));
    this.#health = new HealthDoor(() => house.healthFacts);
  }

  /** Opens every address; sockets that an older server has handed over are taken for theirs. Throws CannotStart. */
  async open(clock: Clock, log: Log): Promise<void> {
    const { backlog, umask, operations, tls } = this.#plan;
    const { context } = this.#house;
    const adopting = adopter(this.#plan);
    const healthBind = operations.healthBind;
    if (healthBind !== null)
      this.#healthListener = new Listener(adopting({ bind: healthBind, tls: null, context }), (socket) =>
        this.#health.accept(socket),
      );
    try {
      if (tls !== null) this.#tls = new TlsDoor(tls, alpnProtocols(context), clock, log);
      const wanted = doors(this.#plan, this.#tls, context, () => this.#listeners).map(adopting);
      this.#listeners = await this.edge.listen(wanted, backlog, umask);
      await this.#healthListener?.listen(backlog, umask);
    } catch (error) {
      if (error instanceof TlsError) throw new CannotStart(`Cannot serve TLS: ${error.message}`);
      if (error instanceof ListenError) throw new CannotStart(error.message);
      throw error;
    }
  }

  /** Says where. */
  tell(log: Log): void {
    for (const { url, door } of this.#listeners) {
      if (door.context === this.#house.context) log.info(`Listening at: ${url} (${process.pid})`);
      else log.info(`Redirecting to https at: ${url}`);
    }
    if (this.#healthListener !== null) log.info(`Health checks at: ${this.#healthListener.url}/livez and /readyz`);
  }

  /** Applications are told that they are served here. */
  get first(): BoundListener {
    return this.#listeners[0]!;
  }

  get urls(): readonly string[] {
    return this.#listeners.map(({ url }) => url);
  }

  get healthUrl(): string | null {
    return this.#healthListener?.url ?? null;
  }

  /** All listening sockets, to hand them over. */
  get sockets(): readonly { readonly bind: string; readonly fd: number }[] {
    return this.#all.map(({ fd, door }) => ({ bind: bindText(door.bind), fd }));
  }

  /** Files of Unix sockets that were handed over are ours from now on. */
  takeFiles(): void {
    for (const listener of this.#all) listener.takeFile();
  }

  /** The files of our Unix sockets are another server's from now on. */
  leaveFiles(): void {
    for (const listener of this.#all) listener.leaveFile();
  }

  /** Reads the certificates again. */
  reload(): void {
    this.#tls?.reload();
  }

  /** The hard end of all there is. */
  close(): void {
    this.edge.destroy();
    this.#healthListener?.close();
    this.#health.close();
    this.#tls?.close();
  }

  // Private

  get #all(): readonly Listener[] {
    return [...this.edge.sockets, ...(this.#healthListener === null ? [] : [this.#healthListener])];
  }
}
