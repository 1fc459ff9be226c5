/** What all folders share, whatever the configuration: made once. */
import type { Clock } from "../clock.ts";
import type { Log } from "../telemetry/log.ts";
import { Complaints } from "./complaints.ts";
import { FileMemory } from "./file-memory.ts";

export class FilesContext {
  readonly clock: Clock;
  readonly memory: FileMemory;
  readonly complaints: Complaints;

  constructor(memoryBytes: number, clock: Clock, log: Log) {
    this.clock = clock;
    this.memory = new FileMemory(memoryBytes);
    this.complaints = new Complaints(clock, log);
  }
}
