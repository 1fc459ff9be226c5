/** A server that is started with a configuration file, and users whose passwords others have hashed. */
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";

import type { Page } from "./browser.ts";
import type { Gates } from "./gates.ts";
import { type Maitred, startMaitred } from "./maitred.ts";
import { temporaryFolder, testApps } from "./places.ts";

/** "open sesame", as others hash it. */
export const SHA512: string = crypt("-6");
export const APR1: string = crypt("-apr1");

function crypt(kind: string): string {
  return execFileSync("openssl", ["passwd", kind, "-stdin"], { input: "open sesame\n", encoding: "utf8" }).trim();
}

export const basic = (text: string): Readonly<Record<string, string>> => ({
  authorization: `Basic ${Buffer.from(text).toString("base64")}`,
});
export const ALICE: Readonly<Record<string, string>> = basic("alice:open sesame");
export const BOB: Readonly<Record<string, string>> = basic("bob:open sesame");

/** What the application in protected.py tells. */
export interface Told {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly uri: string;
  readonly body: string | number;
  readonly user: string | null;
  readonly type: string | null;
  readonly fields: Readonly<Record<string, string>>;
}

export const told = (page: Page): Told => JSON.parse(page.text) as Told;

/** A folder with a configuration and a list of users. */
export class Place {
  readonly folder: string = temporaryFolder();
  readonly file: string = join(this.folder, "maitred.toml");
  readonly page: string = join(this.folder, "who.html");
  readonly users: string = join(this.folder, "htpasswd");

  write(app: string, text: string): void {
    writeFileSync(
      this.file,
      `app = "protected:${app}"\nbind = "127.0.0.1:0"\nchdir = "${testApps}"\nworkers = 1\n${text}`,
    );
  }

  start(gates?: Gates, ...args: string[]): Promise<Maitred> {
    return startMaitred(["--config", this.file, ...args], gates === undefined ? {} : { env: gates.env });
  }
}
