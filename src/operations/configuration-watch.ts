/** Under --reload a configuration file that is saved is read again. `close` ends it. */
import type { Clock, Timer } from "../clock.ts";
import type { ReloadPlan } from "../config/reload.ts";
import type { Log } from "../telemetry/log.ts";
import { FileChoice } from "../watch/file-choice.ts";
import { FileWatcher } from "../watch/file-watcher.ts";

export class ConfigurationWatch {
  readonly #watcher: FileWatcher;
  #timer: Timer | null = null;

  /** `onSaved` is called when the file has rested for a moment. */
  constructor(file: string, reload: ReloadPlan, clock: Clock, log: Log, onSaved: () => void) {
    const choice = new FileChoice({ folders: [], files: [file], include: [], exclude: [], excludeFolders: [] });
    this.#watcher = new FileWatcher(
      choice,
      reload,
      clock,
      () => {
        this.#timer?.cancel();
        this.#timer = clock.after(reload.quietMs, () => {
          log.info(`${file} has changed`);
          onSaved();
        });
      },
      (message) => log.warning(message),
    );
    this.#watcher.start();
  }

  close(): void {
    this.#timer?.cancel();
    this.#watcher.close();
  }
}
