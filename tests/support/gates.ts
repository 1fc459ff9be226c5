/** Gates of the test applications: a request to `/hold?name=NAME` stays at work until its gate opens. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";

import { temporaryFolder } from "./places.ts";

export class Gates {
  readonly #folder: string = temporaryFolder();

  /** To give to the server. */
  get env(): Readonly<Record<string, string>> {
    return { MAITRED_TEST_GATES: this.#folder };
  }

  open(...names: readonly string[]): void {
    for (const name of names) writeFileSync(join(this.#folder, name), "");
  }
}
