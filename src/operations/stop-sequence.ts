/**
 * The way out:
 *
 *     readiness fails ──delay──▶ no new connections ──requests finish──▶ workers leave, lifespan shutdown ──▶ over
 *       (--drain-delay)              │ too long: clients are cut, event loops cancel what still runs ▲
 *                                    └────────────────────────────────────────────────────────────────┘
 *
 * All but the delay happens within --graceful-timeout. A part of it is kept for the workers' own end, so that a stream without end cannot cost the
 * application its lifespan shutdown. What is still there after it is killed, and told.
 */
import type { Clock } from "../clock.ts";
import type { Log } from "../telemetry/log.ts";
import type { Pools } from "../workers/pools.ts";
import type { Signals, StopWish } from "./signals.ts";

/** SIGINT and SIGQUIT give requests in flight this long. */
const QUICK_STOP_MS = 1000;
/** The workers' own end gets at most this much of the grace, and at most a quarter of it. */
const ENDING_MS = 3000;
const LAST_WAIT_MS = 1000;

/** The street door, as far as a stop goes. */
export interface StoppingEdge {
  readonly connections: number;
  /** Responses say `Connection: close` from now on; new connections are still taken. */
  announceEnd(): void;
  /** Stops listening, finishes what is at work; idle connections get `idleMs`. Resolves when no connection is left. */
  drain(idleMs: number): Promise<void>;
  destroy(): void;
}

export interface StopSettings {
  /** Time to serve on before the stop begins. */
  readonly drainDelayMs: number;
  readonly gracefulTimeoutMs: number;
  /** Idle connections may bring one more request for this long: another server takes the new ones. */
  readonly idleMs: number;
}

export interface StopParts {
  readonly edge: StoppingEdge;
  readonly pools: Pools;
  readonly log: Log;
  readonly signals: Signals;
  readonly clock: Clock;
}

export async function stopSequence(wish: StopWish, settings: StopSettings, parts: StopParts): Promise<void> {
  const { edge, pools, log, signals, clock } = parts;
  edge.announceEnd();
  const graceMs = wish.isQuick ? Math.min(QUICK_STOP_MS, settings.gracefulTimeoutMs) : settings.gracefulTimeoutMs;
  let isHurried = false;
  void signals.stopNow.then(() => (isHurried = true));
  if (!wish.isQuick && settings.drainDelayMs > 0) {
    log.info(
      `Handling ${wish.why}: not ready any more, still serving for ${settings.drainDelayMs / 1000} s (--drain-delay)`,
    );
    await within(settings.drainDelayMs, signals.stopNow);
  }
  log.info(
    `Handling ${wish.why}: finishing ${edge.connections} connections, ${pools.waiting} waiting requests (up to ${graceMs / 1000} s)`,
  );

  const deadline = clock.now() + graceMs;
  const endingMs = Math.min(ENDING_MS, graceMs / 4);
  const drained = edge.drain(settings.idleMs).then(() => true as const);
  const isDrained = !isHurried && (await within(graceMs - endingMs, Promise.race([drained, signals.stopNow]))) === true;
  if (!isDrained) {
    for (const what of pools.atWork()) log.warning(`Cut at the stop: ${what}`);
    edge.destroy();
    pools.abandon();
    pools.hurry();
  }
  const ended = pools.stop().then(() => true as const);
  const isOver =
    !isHurried && (await within(Math.max(0, deadline - clock.now()), Promise.race([ended, signals.stopNow])));
  if (isOver !== true) {
    const limit = isHurried ? "at the second signal" : `after ${graceMs / 1000} s (--graceful-timeout)`;
    for (const what of pools.kill()) log.error(`Killed ${limit}: ${what}`);
    pools.abandon();
    await within(LAST_WAIT_MS, ended);
  }
  edge.destroy();
}

/** What `promise` comes to, or null when that takes longer. The timer keeps the process alive: it must fire even where nothing else is left. */
async function within<T>(ms: number, promise: Promise<T>): Promise<T | null> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<null>((resolve) => (timer = setTimeout(() => resolve(null), ms)));
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
