/** `maitred status` for people: the snapshot as text. Pure. */
import type { CacheCounts } from "../../cache/response-cache.ts";
import type { MaintenanceStatus } from "../../stages/maintenance.ts";
import type { Status, Usage } from "../../operations/status.ts";

export function statusText(status: Status): string {
  const lines = [
    `maitred ${status.version} (pid ${status.pid}), ${status.state}, up ${span(status.uptimeMs)}`,
    `app          ${status.app === "" ? "none" : status.app}${status.interface === null ? "" : ` (${status.interface})`}${status.python === "" ? "" : `, ${status.python}`}`,
    ...(status.configuration === null ? [] : [`routes       ${configurationText(status.configuration)}`]),
    `listening    ${status.listeners.join(", ")}${status.health === null ? "" : `; health checks at ${status.health}`}`,
    `connections  ${status.connections}`,
    `queue        ${status.queue.waiting} waiting${status.queue.waiting === 0 ? "" : `, the oldest for ${span(status.queue.oldestMs)}`}`,
    ...(status.maintenance === null ? [] : [`maintenance  ${maintenanceText(status.maintenance)}`]),
    ...(status.cache === null ? [] : [`cache        ${cacheText(status.cache)}`]),
    ...status.upstreams.map(
      ({ url, busy, idle, waiting }) =>
        `upstream     ${url}: ${busy} connections busy, ${idle} idle; ${waiting} waiting`,
    ),
    `workers      ${status.workers.filter(({ state }) => state === "serving").length} of ${status.wanted} serving${status.isCrashLooping ? ", and they keep dying" : ""}`,
    ...(status.pools.length < 2 ? [] : ["", ...poolTable(status)]),
    "",
    ...table([
      [
        "WORKER",
        "POOL",
        "PID",
        "STATE",
        "AGE",
        "DONE",
        "AT WORK",
        "CPU",
        "RSS",
        "PSS",
        "SHARED",
        "PRIVATE",
        "OLDEST REQUEST",
      ],
      ["front", "", String(status.pid), "", span(status.uptimeMs), "", "", ...usage(status.front), ""],
      ...status.zygotes.map((zygote) => ["zygote", "", String(zygote.pid), "", "", "", "", ...usage(zygote.usage), ""]),
      ...status.workers.map((worker) => [
        String(worker.number),
        status.pools.length < 2 ? "" : worker.pool,
        String(worker.pid),
        worker.state,
        span(worker.ageMs),
        String(worker.requests),
        String(worker.inFlight),
        ...usage(worker.usage),
        worker.oldest === null
          ? ""
          : `${worker.oldest.method} ${printable(worker.oldest.path)} for ${span(worker.oldest.ageMs)}`,
      ]),
    ]),
  ];
  const ends = Object.entries(status.ends);
  if (ends.length > 0) lines.push("", `ended        ${ends.map(([reason, count]) => `${count} ${reason}`).join(", ")}`);
  if (status.deaths.length > 0) {
    lines.push("last deaths");
    for (const { worker, pid, at, livedMs, reason, exit } of status.deaths.toReversed()) {
      lines.push(
        `  ${clockTime(at)}  worker ${worker} (pid ${pid}) after ${span(livedMs)}: ${printable(reason)}, ${exit}`,
      );
    }
  }
  return `${lines.join("\n")}\n`;
}

/** "250 ms", "12 s", "3 min", "5 h 20 min", "9 d 4 h". */
export function span(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  const seconds = ms / 1000;
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (seconds < 120) return `${Math.round(seconds)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 120) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

// Private

function maintenanceText({ mode, forMs, held, refused, allow }: MaintenanceStatus): string {
  const what = mode === "hold" ? `${held} requests wait, ${refused} got 503` : `${refused} requests got 503`;
  return `for ${span(forMs)}: ${what}${allow.length === 0 ? "" : `; not for ${printable(allow.join(", "))}`}`;
}

function cacheText({
  responses,
  bytes,
  limitBytes,
  hits,
  staleHits,
  misses,
  collapsed,
  validated,
  passed,
}: CacheCounts): string {
  const asked = hits + misses + collapsed + passed;
  const share = asked === 0 ? "" : ` (${Math.round((100 * (hits + collapsed)) / asked)} % of ${asked})`;
  const megabytes = (count: number): string => `${(count / 1_048_576).toFixed(1)} MB`;
  return `${responses} responses in ${megabytes(bytes)} of ${megabytes(limitBytes)}; ${hits} hits${share}, ${staleHits} of them stale, ${collapsed} shared, ${misses} misses, ${validated} validated, ${passed} passed`;
}

function poolTable({ pools }: Status): string[] {
  return table([
    ["POOL", "SERVING", "WAITING", "APP", "PATHS"],
    ...pools.map(({ name, app, interface: kind, patterns, serving, wanted, waiting }) => [
      name,
      `${serving} of ${wanted}`,
      String(waiting),
      kind === null ? app : `${app} (${kind})`,
      patterns.length === 0 ? "all others" : patterns.join(" "),
    ]),
  ]);
}

function usage(of: Usage | null): string[] {
  return of === null
    ? ["", "", "", "", ""]
    : [span(of.cpuMs), megabytes(of.rss), megabytes(of.pss), megabytes(of.shared), megabytes(of.private)];
}

function megabytes(bytes: number): string {
  return `${(bytes / 1_048_576).toFixed(1)} MB`;
}

function clockTime(ms: number): string {
  return new Date(ms).toISOString().replace("T", " ").slice(0, 19);
}

/** A client chose the path: nothing of it may move the terminal's cursor. */
function printable(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, "?").slice(0, 200);
}

function table(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  const isUsed = widths.map((_, column) => rows.slice(1).some((row) => row[column] !== ""));
  return rows.map((row) =>
    row
      .flatMap((cell, column) => (isUsed[column] ? [cell.padEnd(widths[column]!)] : []))
      .join("  ")
      .trimEnd(),
  );
}

function configurationText({ file, sites, routes }: NonNullable<Status["configuration"]>): string {
  return `${file} (${sites} site${sites === 1 ? "" : "s"}, ${routes} route${routes === 1 ? "" : "s"})`;
}
