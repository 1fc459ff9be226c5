/** When requests arrive, decided before the run: a Poisson process, the same for every server that is given the same seed. */

export interface Arrival {
  readonly atMs: number;
  readonly slow: boolean;
}

export interface Mix {
  readonly perSecond: number;
  readonly slowShare: number;
  readonly seconds: number;
  readonly seed: number;
}

export function arrivals(mix: Mix): readonly Arrival[] {
  const random = randomNumbers(mix.seed);
  const list: Arrival[] = [];
  for (let atMs = 0; ;) {
    atMs += (-Math.log(1 - random()) * 1000) / mix.perSecond;
    if (atMs >= mix.seconds * 1000) return list;
    list.push({ atMs, slow: random() < mix.slowShare });
  }
}

/** Uniform in [0, 1), repeatable: mulberry32. */
export function randomNumbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
