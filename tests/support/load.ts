/** Clients that ask for one path over and over, on keep-alive connections, and remember every answer that was not a 200. */
import { Browser } from "./browser.ts";

const PATIENCE_MS = 30_000;
/** A server that is gone refuses faster than a test can end. */
const MOST_FAILURES = 1000;

export interface Load {
  /** Bodies of the 200s, each with the number of times it came. */
  readonly answers: ReadonlyMap<string, number>;
  readonly failures: readonly string[];
  /** Waits until the load has seen enough. */
  until(satisfied: (answers: ReadonlyMap<string, number>) => boolean, what: string): Promise<void>;
  /** Lets each client finish its request. */
  stop(): Promise<void>;
}

export function startLoad(port: number, path: string, clients: number): Load {
  const answers = new Map<string, number>();
  const failures: string[] = [];
  const watchers = new Set<() => void>();
  let wanted = true;

  const client = async (): Promise<void> => {
    const browser = new Browser(port, 1);
    while (wanted && failures.length < MOST_FAILURES) {
      try {
        const page = await browser.get(path);
        if (page.status === 200) answers.set(page.text, (answers.get(page.text) ?? 0) + 1);
        else failures.push(`${page.status} ${page.text}`);
      } catch (error) {
        failures.push(String(error));
      }
      for (const look of watchers) look();
    }
    browser.close();
  };
  const finished = Promise.all(Array.from({ length: clients }, client));

  return {
    answers,
    failures,
    until: (satisfied, what) =>
      new Promise((resolve, reject) => {
        const timer = setTimeout(() => {
          watchers.delete(look);
          reject(
            new Error(
              `the load never saw ${what}: ${JSON.stringify([...answers])}, failures: ${JSON.stringify(failures.slice(0, 5))}`,
            ),
          );
        }, PATIENCE_MS);
        const look = (): void => {
          if (!satisfied(answers)) return;
          clearTimeout(timer);
          watchers.delete(look);
          resolve();
        };
        watchers.add(look);
        look();
      }),
    stop: async () => {
      wanted = false;
      await finished;
    },
  };
}
