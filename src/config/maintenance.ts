/** Maintenance of single routes or sites, by the configuration. */
export interface MaintenancePlan {
  /** Absolute path; null: the built-in answer. */
  readonly page: string | null;
  /** null: no Retry-After. */
  readonly retryAfterSeconds: number | null;
  /** Addresses, networks and "unix" that notice nothing of it. */
  readonly allow: readonly string[];
}

export const DEFAULT_RETRY_SECONDS = 60;
