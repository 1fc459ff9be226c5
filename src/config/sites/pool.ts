/** `[pools.NAME]`: what `--pool` says, key by key. */
import { z } from "zod";
import { appMistake } from "../app-target.ts";
import { interfaceName } from "../interface-name.ts";
import type { PoolSpec } from "../pool-spec.ts";
import { duration, someDuration, value, wholeNumber, wrong, type ValueType } from "../value-types.ts";
import { workerClass } from "../worker-class.ts";
import { workerCount } from "../worker-count.ts";
import { written } from "./fields.ts";

export type PoolSettings = Omit<PoolSpec, "name" | "patterns" | "mount">;

export const appTarget: ValueType<string> = (text) => {
  const mistake = appMistake([text]);
  return mistake === null ? value(text) : wrong(`names no application: ${mistake}`);
};

const mountPoint: ValueType<string> = (text) =>
  /^\/[!-~]*[!-.0-~]$/.test(text) && !/[%*$?#]/.test(text)
    ? value(text)
    : wrong("is no path that can be cut off: write /api, without a slash at its end");

export const poolSettings: z.ZodType<PoolSettings> = z
  .strictObject({
    app: written(appTarget).optional().describe("Another application; without it the main one"),
    factory: z.boolean().optional().describe("The application is a factory: it is called"),
    interface: written(interfaceName).optional().describe("auto, wsgi or asgi"),
    "worker-class": written(workerClass).optional().describe("sync, gthread, gevent or asgi"),
    workers: written(workerCount).optional().describe("How many: a number, auto, or MIN:MAX"),
    threads: written(wholeNumber(1, 4096)).optional().describe("Threads of each worker"),
    "worker-connections": written(wholeNumber(1)).optional().describe("Requests that one event loop may hold"),
    timeout: written(duration).optional().describe("A request at work longer than this ends with 504"),
    "queue-size": written(wholeNumber(0, 10_000_000)).optional().describe("Requests that may wait"),
    "queue-timeout": written(someDuration).optional().describe("How long one may wait"),
    mount: written(mountPoint).optional().describe("The path that is the application's root; all its routes lie there"),
  })
  .transform((table): PoolSettings => {
    const said: Record<string, unknown> = {};
    for (const [key, field] of fields) if (table[key] !== undefined) said[field] = table[key];
    return said as PoolSettings;
  });

// Private

const fields = [
  ["app", "app"],
  ["factory", "factory"],
  ["interface", "interface"],
  ["worker-class", "workerClass"],
  ["workers", "workers"],
  ["threads", "threads"],
  ["worker-connections", "workerConnections"],
  ["timeout", "timeoutMs"],
  ["queue-size", "queueSize"],
  ["queue-timeout", "queueTimeoutMs"],
  ["mount", "mountAt"],
] as const;
