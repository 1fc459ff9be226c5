/** The operational log, as every room sees it. One line says: which thing, what happened, why, and a number. */

export interface Log {
  debug(line: string): void;
  info(line: string): void;
  warning(line: string): void;
  error(line: string): void;
  critical(line: string): void;
}
