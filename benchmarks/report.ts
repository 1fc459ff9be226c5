/** From measurements to a table: medians, spreads, ratios against maitred, and the faults in full. */
import { FIGURES, type FigureName, REPORTED } from "./figures.ts";
import type { Measurement } from "./measure.ts";
import type { Scenario } from "./scenarios.ts";
import type { Setting } from "./servers.ts";
import { median } from "./statistics.ts";

export interface Row {
  readonly setting: Setting;
  readonly measurements: readonly Measurement[];
}

export function table(scenario: Scenario, rows: readonly Row[]): string {
  const { columns, best, compared } = REPORTED[scenario.load.type];
  const winners = bestSettings(rows, best);
  const yardstick = winners.get("maitred");
  const ratios = yardstick === undefined ? [] : compared;
  const header = [
    "",
    "server",
    "setting",
    ...columns.flatMap((name) => (name === best ? [FIGURES[name].title, "min-max"] : [FIGURES[name].title])),
    ...ratios.map((name) => `${FIGURES[name].title} / maitred's`),
  ];
  const lines = rows.map((row) => [
    `${winners.get(row.setting.server) === row ? "*" : ""}${faults(row).length > 0 ? "!" : ""}`,
    row.setting.server,
    row.setting.label,
    ...columns.flatMap((name) => (name === best ? [shown(row, name), spread(row, name)] : [shown(row, name)])),
    ...ratios.map((name) => ratio(row, yardstick, name)),
  ]);
  const widths = header.map((title, column) =>
    Math.max(title.length, 3, ...lines.map((line) => line[column]?.length ?? 0)),
  );
  const format = (cells: readonly string[]): string =>
    `| ${cells.map((cell, column) => (column < 3 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0))).join(" | ")} |`;
  const rule = widths.map((width, column) => (column < 3 ? "-".repeat(width) : `${"-".repeat(width - 1)}:`));
  return [header, rule, ...lines].map(format).join("\n");
}

/** Each server's best setting: by median, among the settings that were measured without a fault. */
function bestSettings(rows: readonly Row[], figure: FigureName): ReadonlyMap<string, Row> {
  const best = new Map<string, Row>();
  const sign = FIGURES[figure].better === "more" ? 1 : -1;
  for (const row of rows) {
    const value = median(values(row, figure));
    if (value === null || faults(row).length > 0) continue;
    const rival = best.get(row.setting.server);
    if (rival === undefined || sign * value > sign * (median(values(rival, figure)) ?? 0))
      best.set(row.setting.server, row);
  }
  return best;
}

/** One sentence for each faulty measurement; empty is good. */
export function faults(row: Row): readonly string[] {
  return row.measurements.flatMap(({ faults }, index) =>
    faults.length === 0
      ? []
      : [`!! ${row.setting.server} (${row.setting.label}), round ${index + 1}: ${faults.join("; ")}`],
  );
}

// Private

function values(row: Row, name: FigureName): readonly number[] {
  return row.measurements.flatMap(({ figures }) => figures[name] ?? []);
}

function shown(row: Row, name: FigureName): string {
  return written(median(values(row, name)), FIGURES[name].digits);
}

function spread(row: Row, name: FigureName): string {
  const all = values(row, name);
  if (all.length === 0) return "-";
  return `${written(Math.min(...all), FIGURES[name].digits)}-${written(Math.max(...all), FIGURES[name].digits)}`;
}

function ratio(row: Row, yardstick: Row | undefined, name: FigureName): string {
  const [own, theirs] = [median(values(row, name)), yardstick && median(values(yardstick, name))];
  return own === null || !theirs ? "-" : (own / theirs).toFixed(2);
}

function written(value: number | null, digits: number): string {
  return value === null || Number.isNaN(value)
    ? "-"
    : value.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits });
}
