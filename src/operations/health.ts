/** What the front answers to health checks, from what it knows itself: no worker is asked. */

export interface HealthFacts {
  /** Serving, or on the way out. */
  readonly phase: "starting" | "serving" | "draining";
  /** Workers that take requests. */
  readonly serving: number;
  /** Workers asked for. */
  readonly wanted: number;
  /** There is no application, so that no workers are missed. */
  readonly needsNone: boolean;
  /** Workers die one after the other. */
  readonly isCrashLooping: boolean;
  /** Requests waiting for a worker. */
  readonly waiting: number;
}

export type HealthCheck = "livez" | "readyz";

export interface HealthAnswer {
  readonly status: 200 | 503;
  readonly type: string;
  readonly body: string;
}

/** Which check a path asks for below the prefix; null for any other path. */
export function healthCheck(path: string, prefix: string): HealthCheck | null {
  if (path === `${prefix}/livez`) return "livez";
  if (path === `${prefix}/readyz`) return "readyz";
  return null;
}

/** Why traffic should go elsewhere; null when it may come. */
export function unreadyReason(facts: HealthFacts): string | null {
  if (facts.phase === "draining") return "the server is stopping";
  if (facts.isCrashLooping) return "workers keep dying";
  if (facts.needsNone && facts.phase === "serving") return null;
  if (facts.serving === 0) return facts.phase === "starting" ? "the workers are starting" : "no worker is ready";
  return null;
}

/** The process lives for as long as it can answer at all. */
export function healthAnswer(check: HealthCheck, facts: HealthFacts, accept: string): HealthAnswer {
  const reason = check === "livez" ? null : unreadyReason(facts);
  const status = reason === null ? 200 : 503;
  if (!/\bapplication\/json\b/i.test(accept)) {
    return { status, type: "text/plain; charset=utf-8", body: reason === null ? "ok\n" : `not ready: ${reason}\n` };
  }
  const { serving, wanted, waiting } = facts;
  const body = {
    status: reason === null ? "ok" : "not ready",
    ...(reason === null ? {} : { reason }),
    workers: { serving, wanted },
    waiting,
  };
  return { status, type: "application/json", body: `${JSON.stringify(body)}\n` };
}
