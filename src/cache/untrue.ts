/** What has been purged while responses may turn up that were stored before: files that are still being read, or that another server writes. */
import type { Place } from "./purge.ts";

type IsMeant = (place: Place, tags: readonly string[]) => boolean;

/** Beyond this nothing that turns up is believed. */
const MOST = 10_000;

export class Untrue {
  #list: { readonly isMeant: IsMeant; readonly isSoft: boolean }[] | null = null;

  /** From now on it is remembered. */
  begin(): void {
    this.#list ??= [];
  }

  /** Nothing turns up any more. */
  end(): void {
    this.#list = null;
  }

  note(isMeant: IsMeant, isSoft: boolean): void {
    const list = this.#list;
    if (list === null) return;
    if (list.length >= MOST) this.#list = [{ isMeant: () => true, isSoft: false }];
    else list.push({ isMeant, isSoft });
  }

  judge(place: Place, tags: readonly string[]): "true" | "past its time" | "untrue" {
    const meant = this.#list?.filter(({ isMeant }) => isMeant(place, tags)) ?? [];
    if (meant.length === 0) return "true";
    return meant.every(({ isSoft }) => isSoft) ? "past its time" : "untrue";
  }
}
