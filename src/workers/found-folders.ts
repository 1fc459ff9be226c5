/** What a worker tells about its app's files that need no app to be served. It runs the user's code, so each part is looked at. Pure. */

export interface FoundFolder {
  /** The name of Django's setting: STATIC_ROOT, MEDIA_ROOT. */
  readonly setting: string;
  /** A path that begins with a slash. */
  readonly url: string;
  /** Absolute; null where the setting is empty. */
  readonly root: string | null;
}

export function foundFolders(told: unknown): readonly FoundFolder[] {
  if (!Array.isArray(told)) return [];
  return told.flatMap((one: unknown) => {
    if (typeof one !== "object" || one === null) return [];
    const { setting, url, root } = one as Record<string, unknown>;
    if (typeof setting !== "string" || typeof url !== "string" || !url.startsWith("/")) return [];
    return [{ setting, url, root: typeof root === "string" && root.startsWith("/") ? root : null }];
  });
}
