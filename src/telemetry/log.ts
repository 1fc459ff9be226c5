/** The operational log, as every room sees it. One line says: which thing, what happened, why, and a number. */

export interface Log {
  debug(line: string): void;
  info(line: string): void;
  warning(line: string): void;
  error(line: string): void;
  critical(line: string): void;
}

/** Each line begins with `prefix`. */
export function prefixed(log: Log, prefix: string): Log {
  return {
    debug: (line) => log.debug(prefix + line),
    info: (line) => log.info(prefix + line),
    warning: (line) => log.warning(prefix + line),
    error: (line) => log.error(prefix + line),
    critical: (line) => log.critical(prefix + line),
  };
}
