/** The known word nearest to a mistyped one, if any is near enough to be worth a "did you mean". */

export function nearest(word: string, known: Iterable<string>): string | null {
  // Every short option is one letter away from every other.
  if (word.length <= 2) return null;
  let best: string | null = null;
  // A third of the letters may be wrong: --worker finds --workers, --foo finds nothing.
  let bestDistance = Math.max(1, Math.floor(word.replace(/^-+/, "").length / 3)) + 1;
  for (const candidate of known) {
    let distance = editDistance(word, candidate);
    // --work and --workers, --pid-file and --pid: one is the beginning of the other.
    if (word.length > 4 && candidate.startsWith(word)) distance = Math.min(distance, 1);
    if (word.startsWith(`${candidate}-`)) distance = Math.min(distance, 2);
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

/** Damerau-Levenshtein with adjacent swaps, so that --wrokers is one mistake and not two. */
function editDistance(left: string, right: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: right.length + 1 }, (_, column) => column);
  for (let row = 1; row <= left.length; row++) {
    const current = [row];
    for (let column = 1; column <= right.length; column++) {
      const cost = left[row - 1] === right[column - 1] ? 0 : 1;
      let distance = Math.min((last[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1, (last[column - 1] ?? 0) + cost);
      if (row > 1 && column > 1 && left[row - 1] === right[column - 2] && left[row - 2] === right[column - 1]) {
        distance = Math.min(distance, (beforeLast[column - 2] ?? 0) + 1);
      }
      current.push(distance);
    }
    beforeLast = last;
    last = current;
  }
  return last[right.length] ?? 0;
}
