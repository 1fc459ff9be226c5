/** Every figure the bench reports: what it is called, how it is written, and which way is better. */
import type { Load } from "./scenarios.ts";

export interface Figure {
  readonly title: string;
  readonly digits: number;
  readonly better: "more" | "less" | "neither";
}

export type FigureName =
  | "rps"
  | "messagesPerSecond"
  | "p50Ms"
  | "p99Ms"
  | "cpuMicroseconds"
  | "pssMegabytes"
  | "processes"
  | "fastP50Ms"
  | "fastP99Ms"
  | "slowP99Ms"
  | "lateP99Ms"
  | "quietP99Ms"
  | "besiegedP99Ms"
  | "allReadP99Ms"
  | "lostPercent"
  | "readers"
  | "cutOff"
  | "connectionKilobytes"
  | "answeredAgain"
  | "megabytesPerSecond"
  | "cpuMilliseconds"
  | "peakMegabytes"
  | "othersCores";

export const FIGURES: Readonly<Record<FigureName, Figure>> = {
  rps: { title: "rps", digits: 0, better: "more" },
  messagesPerSecond: { title: "messages/s", digits: 0, better: "more" },
  p50Ms: { title: "p50 ms", digits: 2, better: "less" },
  p99Ms: { title: "p99 ms", digits: 2, better: "less" },
  cpuMicroseconds: { title: "CPU µs", digits: 1, better: "less" },
  pssMegabytes: { title: "PSS MB", digits: 1, better: "less" },
  processes: { title: "processes", digits: 0, better: "neither" },
  fastP50Ms: { title: "fast p50 ms", digits: 1, better: "less" },
  fastP99Ms: { title: "fast p99 ms", digits: 1, better: "less" },
  slowP99Ms: { title: "slow p99 ms", digits: 1, better: "less" },
  lateP99Ms: { title: "client late p99 ms", digits: 1, better: "neither" },
  quietP99Ms: { title: "quiet p99 ms", digits: 2, better: "less" },
  besiegedP99Ms: { title: "p99 ms from the first reader", digits: 2, better: "less" },
  allReadP99Ms: { title: "p99 ms once all read", digits: 2, better: "less" },
  lostPercent: { title: "lost %", digits: 1, better: "less" },
  readers: { title: "readers served", digits: 0, better: "more" },
  cutOff: { title: "slow ones cut off", digits: 0, better: "less" },
  connectionKilobytes: { title: "KiB a connection", digits: 1, better: "less" },
  answeredAgain: { title: "answered again", digits: 0, better: "more" },
  megabytesPerSecond: { title: "MB/s", digits: 0, better: "more" },
  cpuMilliseconds: { title: "CPU ms", digits: 0, better: "less" },
  peakMegabytes: { title: "memory at its peak, MB over rest", digits: 1, better: "less" },
  othersCores: { title: "others' cores", digits: 2, better: "neither" },
};

/** Per load: the columns, the figure a server's best setting is chosen by, and those compared with maitred. */
export const REPORTED: Readonly<
  Record<
    Load["type"],
    { readonly columns: readonly FigureName[]; readonly best: FigureName; readonly compared: readonly FigureName[] }
  >
> = {
  saturate: {
    columns: ["rps", "p50Ms", "p99Ms", "cpuMicroseconds", "pssMegabytes", "othersCores"],
    best: "rps",
    compared: ["rps", "cpuMicroseconds"],
  },
  http2: {
    columns: ["rps", "p50Ms", "p99Ms", "cpuMicroseconds", "pssMegabytes", "othersCores"],
    best: "rps",
    compared: ["rps", "cpuMicroseconds"],
  },
  echo: {
    columns: ["messagesPerSecond", "p50Ms", "p99Ms", "cpuMicroseconds", "pssMegabytes", "othersCores"],
    best: "messagesPerSecond",
    compared: ["messagesPerSecond", "cpuMicroseconds"],
  },
  tail: {
    columns: ["fastP50Ms", "fastP99Ms", "slowP99Ms", "rps", "cpuMicroseconds", "lateP99Ms", "othersCores"],
    best: "fastP99Ms",
    compared: ["fastP99Ms"],
  },
  slowClients: {
    columns: [
      "quietP99Ms",
      "besiegedP99Ms",
      "allReadP99Ms",
      "lostPercent",
      "readers",
      "cutOff",
      "pssMegabytes",
      "othersCores",
    ],
    best: "besiegedP99Ms",
    compared: ["besiegedP99Ms"],
  },
  idle: {
    columns: ["connectionKilobytes", "answeredAgain", "pssMegabytes"],
    best: "connectionKilobytes",
    compared: ["connectionKilobytes"],
  },
  upload: {
    columns: ["megabytesPerSecond", "cpuMilliseconds", "peakMegabytes", "othersCores"],
    best: "megabytesPerSecond",
    compared: ["megabytesPerSecond", "cpuMilliseconds"],
  },
  memory: { columns: ["pssMegabytes", "processes"], best: "pssMegabytes", compared: ["pssMegabytes"] },
};
