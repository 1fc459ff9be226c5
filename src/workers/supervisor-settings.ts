/** What the Plan says about workers, in the supervisor's terms. Pure. */
import type { Plan } from "../config/plan.ts";
import type { SupervisorSettings } from "./supervisor.ts";

/** Under --reload the streams of old code are not waited for longer than a developer would. */
const DEVELOPMENT_GRACE_MS = 2000;

/** `listener` is the first address: what SERVER_NAME and SERVER_PORT say. `mount`: the part of the path that is cut off before the app. */
export function supervisorSettings(
  plan: Plan,
  { serverName, serverPort }: { readonly serverName: string; readonly serverPort: number },
  mount: string,
): SupervisorSettings {
  return {
    python: plan.python,
    chdir: plan.chdir,
    environ: plan.environ,
    preload: plan.preload,
    reloadTimeoutMs: plan.reload === null ? plan.reloadTimeoutMs : 0,
    readyUrl: plan.readyUrl,
    workers: plan.workers,
    withoutGil: plan.withoutGil,
    workerConnections: plan.workerConnections,
    timeoutMs: plan.timeoutMs,
    gracefulTimeoutMs:
      plan.reload === null ? plan.gracefulTimeoutMs : Math.min(plan.gracefulTimeoutMs, DEVELOPMENT_GRACE_MS),
    cancelGoneMs: plan.cancelGoneMs,
    maxRequests: plan.maxRequests,
    maxRequestsJitter: plan.maxRequestsJitter,
    maxWorkerAgeMs: plan.maxWorkerAgeMs,
    maxWorkerMemoryBytes: plan.maxWorkerMemoryBytes,
    base: { serverName, serverPort, rootPath: plan.rootPath, mount },
    start: {
      app: plan.app,
      factory: plan.factory,
      interface: plan.interface,
      interface_from: plan.interfaceFrom,
      preload: plan.preload,
      modules: plan.reload !== null,
      chdir: plan.chdir,
      pythonpath: plan.pythonpath,
      environ: plan.environ,
      threads: plan.threads,
      threads_without_gil: plan.withoutGil.threads,
      gevent: plan.gevent,
      loop: plan.loop,
      lifespan: plan.lifespan,
      // PEP 3333, "environ Variables": the constant part; QUERY_STRING only travels where there is one.
      wsgi: {
        SERVER_NAME: serverName,
        SERVER_PORT: String(serverPort),
        SERVER_PROTOCOL: "HTTP/1.1",
        SERVER_SOFTWARE: "maitred",
        SCRIPT_NAME: plan.rootPath,
        QUERY_STRING: "",
        "wsgi.url_scheme": "http",
      },
      asgi: { server: [serverName, serverPort], root_path: plan.rootPath, scheme: "http", http_version: "1.1" },
    },
  };
}
