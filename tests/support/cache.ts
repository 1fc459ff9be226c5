/** What the tests of the cache ask of tests/apps/cache_app.py, and how they wait. */
import { setTimeout as pause } from "node:timers/promises";

import type { Browser } from "./browser.ts";

export const FRESH: Readonly<Record<string, string>> = { "Cache-Control": "max-age=100" };

/** A target whose response has these fields. */
export function target(path: string, fields: Readonly<Record<string, string>>, more: string = ""): string {
  const query = Object.entries(fields).map(([name, value]) => `h.${name}=${encodeURIComponent(value)}`);
  return `${path}?${[...query, more].filter((one) => one !== "").join("&")}`;
}

/** How many requests for that path the app has seen. */
export async function countOf(path: string, from: Browser): Promise<number> {
  const { text } = await from.get("/counts");
  return Number(new RegExp(`(?:^| )${path}=(\\d+)`).exec(text)?.[1] ?? 0);
}

/** Asks again and again, for what no line announces. */
export async function until(isSo: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 15_000;
  while (!(await isSo())) {
    if (Date.now() > deadline) throw new Error("never so");
    await pause(5);
  }
}
