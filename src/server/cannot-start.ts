/** The server cannot start: said in a sentence, and as an exit code. */

/** Where an address, a file or a route cannot be had. */
export const EXIT_CANNOT_START = 1;

export class CannotStart extends Error {
  override name = "CannotStart";
}
