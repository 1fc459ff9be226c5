/** A page that is read from a file when the configuration is opened, and stands in memory from then on. */
import { readFileSync } from "node:fs";
import { pageType } from "../config/error-pages.ts";
import type { Log } from "../telemetry/log.ts";

export interface PageFile {
  /** For negotiation, without parameters. */
  readonly type: string;
  readonly contentType: string;
  readonly body: Buffer;
}

/** null where it cannot be read, which the log tells: the built-in one stands in. */
export function readPage(path: string, log: Log): PageFile | null {
  try {
    const contentType = pageType(path) ?? "text/html";
    return { type: contentType.replace(/;.*$/s, ""), contentType, body: readFileSync(path) };
  } catch (error) {
    log.error(`Cannot read a page, the built-in one stands in: ${(error as Error).message}`);
    return null;
  }
}
