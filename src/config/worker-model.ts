/** Worker class, interface, threads and processes say one thing together: how the application is run. */
import { originText } from "./origin.ts";
import type { Plan } from "./plan.ts";
import type { Resolved } from "./resolve.ts";
import { interfaceSetting } from "./settings/python.ts";
import { threads as threadsSetting, workerClass as workerClassSetting, workers } from "./settings/workers.ts";

export interface WorkerModel extends Pick<Plan, "interface" | "interfaceFrom" | "threads" | "gevent" | "withoutGil"> {
  readonly mistakes: readonly string[];
  readonly notices: readonly string[];
}

/** gunicorn's -k gthread alone means one thread, which is no use to anybody. */
const GTHREAD_THREADS = 4;

/** `cpus` is the number of processors that may be used. */
export function workerModel(resolved: Resolved, cpus: number): WorkerModel {
  const workerClass = resolved.get(workerClassSetting);
  const asked = resolved.get(interfaceSetting);
  const threads = resolved.get(threadsSetting);
  const mistakes: string[] = [];
  const notices: string[] = [];

  const implied = workerClass.value === null ? null : workerClass.value === "asgi" ? "asgi" : "wsgi";
  if (implied !== null && asked.value !== "auto" && asked.value !== implied) {
    mistakes.push(
      `${originText(workerClass.origin)} and ${originText(asked.origin)} contradict each other: give only one of them`,
    );
  }
  const kind = implied ?? asked.value;
  const gevent = workerClass.value === "gevent";
  if ((kind === "asgi" || gevent) && (threads.value ?? 1) > 1) {
    const why = gevent ? "a gevent worker runs each request in a greenlet" : "an ASGI worker runs one event loop";
    notices.push(`${originText(threads.origin)} has no effect: ${why} (see --worker-connections)`);
  }

  const many = workerClass.value === "gthread" ? GTHREAD_THREADS : 1;
  return {
    interface: kind,
    interfaceFrom: kind === "auto" ? "" : originText(implied === null ? asked.origin : workerClass.origin),
    threads: gevent ? 1 : (threads.value ?? many),
    gevent,
    withoutGil: withoutGil(resolved, cpus, many, kind),
    mistakes,
    notices,
  };
}

/** Where threads run at the same time one process does what many did: what was not asked for in numbers becomes threads. */
function withoutGil(resolved: Resolved, cpus: number, least: number, kind: Plan["interface"]): Plan["withoutGil"] {
  const workerClass = resolved.get(workerClassSetting).value;
  const count = resolved.get(workers).value;
  const asked = count === "auto" ? null : typeof count === "number" ? count : count.least;
  // Their workers run on one thread each, whatever the interpreter can do.
  if (workerClass === "gevent" || kind === "asgi") return { workers: asked ?? cpus, threads: 1 };
  const threads = resolved.get(threadsSetting).value;
  if (workerClass === "sync" && threads === null) return { workers: asked ?? cpus, threads: 1 };
  const processes = asked ?? 1;
  return { workers: processes, threads: threads ?? Math.max(least, Math.ceil(cpus / processes)) };
}
