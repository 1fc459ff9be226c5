/** What a worker tells about its app's files that need no app to be served. It runs the user's code, so each part is looked at. Pure. */

export interface FoundFolder {
  /** The name of Django's setting: STATIC_ROOT, MEDIA_ROOT. */
  readonly setting: string;
  /** A path; without a slash at its beginning it lies below the root of the app. */
  readonly url: string;
  /** Absolute; null where the setting is empty. */
  readonly root: string | null;
}

/** The path that clients ask for. `mount` is the root of the app as they see it, empty where it is that of the host. */
export function rootedUrl(url: string, mount: string): string {
  return url.startsWith("/") ? url : `${mount}/${url}`;
}

export function foundFolders(told: unknown): readonly FoundFolder[] {
  if (!Array.isArray(told)) return [];
  return told.flatMap((one: unknown) => {
    if (typeof one !== "object" || one === null) return [];
    const { setting, url, root } = one as Record<string, unknown>;
    if (typeof setting !== "string" || typeof url !== "string" || url.includes("//")) return [];
    return [{ setting, url, root: typeof root === "string" && root.startsWith("/") ? root : null }];
  });
}
