/** A real browser, Debian's Chromium, driven by playwright-core; for the tests that need one. */
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { after } from "node:test";

import { type Browser, chromium, type Page } from "playwright-core";

const NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/** The browser's program: $CHROMIUM, or the first one found on the PATH; null where there is none. */
const program: string | null =
  [
    process.env["CHROMIUM"] ?? "",
    ...(process.env["PATH"] ?? "").split(delimiter).flatMap((folder) => NAMES.map((name) => join(folder, name))),
  ].find((path) => path !== "" && existsSync(path)) ?? null;

/** For a test's `skip`: false, or what to install. */
export const withoutChromium: false | string =
  program === null && "there is no Chromium here: install it (apt-get install chromium), or name one in CHROMIUM";

/** A page of its own, with nothing remembered; it believes any certificate. */
export async function newPage(): Promise<Page> {
  // --no-sandbox: root has none, and what it opens is ours. --disable-dev-shm-usage: containers have a small /dev/shm.
  browser ??= chromium.launch({ executablePath: program!, args: ["--no-sandbox", "--disable-dev-shm-usage"] });
  const context = await (await browser).newContext({ ignoreHTTPSErrors: true });
  return context.newPage();
}

// Private

let browser: Promise<Browser> | null = null;

after(async () => {
  await (await browser)?.close();
});
