/** When an elastic number of workers moves, and groups of workers beside the main one. */
import { poolSpec, type PoolSpec } from "../pool-spec.ts";
import { repeated, single, type Section, type Setting } from "../setting.ts";
import { someDuration } from "../value-types.ts";

export const pool: Setting<readonly PoolSpec[]> = repeated({
  key: "pool",
  flags: ["--pool"],
  metavar: "NAME=PATTERN[,...]",
  type: poolSpec,
  help: "Workers of their own for some paths, or for another application",
  doc: `\`--pool reports=/reports,/export,workers=2,timeout=300\` gives those paths two workers and a queue of their own, so that nobody else waits
behind them. \`--pool api=/api,app=api.main:app,workers=4,mount\` serves another application below \`/api\`; whether it speaks WSGI or ASGI is its own
affair. All other paths are the main pool's.

A pattern matches its path and everything below it: \`/reports\` matches \`/reports\`, \`/reports/\` and \`/reports/2024\`. A \`$\` at the end: exactly this
path. An asterisk stands for one or more characters within one segment: \`/users/*/export\`. Of several that match, the most specific counts,
in whatever order they are given. Paths are compared as the application sees them: percent-decoded, with case, nothing tidied up.

| word | meaning | default |
|---|---|---|
| \`workers=N\`, \`workers=auto\`, \`workers=MIN:MAX\` | as \`--workers\` | 1 |
| \`app=MODULE:ATTR\` | another application | the main one |
| \`factory\` | as \`--factory\`, for that application | |
| \`interface=KIND\`, \`worker-class=CLASS\` | as \`--interface\`, \`--worker-class\` | the main pool's, for the same application |
| \`threads=N\`, \`worker-connections=N\` | as the options of that name | the main pool's, for the same application |
| \`timeout=TIME\`, \`queue-size=N\`, \`queue-timeout=TIME\` | as the options of that name | the main pool's |
| \`mount\` | the (only) path is the application's root: it becomes SCRIPT_NAME, or root_path, and the rest PATH_INFO | the application sees whole paths |

Each pool has a Python process that its workers are forked from, so with \`--preload\` pools share no memory with each other.`,
});

export const scaleUpWait: Setting<number> = single({
  key: "scale-up-wait",
  flags: ["--scale-up-wait"],
  metavar: "TIME",
  type: someDuration,
  fallback: 100,
  fallbackText: "0.1",
  help: "With --workers MIN:MAX: requests that wait this long for a worker ask for one more",
  doc: "They have to wait for most of a second before one is started: a burst is no reason. No worker is started where the CPUs or the memory are what is short, and the log says so.",
});

export const scaleDownAfter: Setting<number> = single({
  key: "scale-down-after",
  flags: ["--scale-down-after"],
  metavar: "TIME",
  type: someDuration,
  fallback: 60_000,
  fallbackText: "60",
  help: "With --workers MIN:MAX: workers go when fewer would have been enough for this long",
  doc: "Growing again soon after doubles this time, up to eight times, until the number has proved right for as long.",
});

export const poolsSection: Section = {
  title: "Pools and scaling",
  settings: [pool, scaleUpWait, scaleDownAfter],
};
