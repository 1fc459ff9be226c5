/** Sizes of memory, for humans. */

/** "812 MiB", "1.5 GiB". */
export function formatBytes(bytes: number): string {
  const mebibytes = bytes / 1_048_576;
  if (mebibytes < 10) return `${mebibytes.toFixed(1)} MiB`;
  return mebibytes < 1024 ? `${Math.round(mebibytes)} MiB` : `${(mebibytes / 1024).toFixed(1)} GiB`;
}
