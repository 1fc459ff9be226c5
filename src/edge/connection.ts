/** After our last word the client gets this long to read it before the connection is destroyed. */
export const LINGER_MS = 2000;

/** What the edge needs of a client connection, whatever it speaks. */
export interface ClientConnection {
  /** Set by the edge: called once when the connection is closed. */
  whenClosed: (() => void) | null;
  /** Ends an idle connection politely; a busy one ends after what it is doing. */
  drain(): void;
  /** Called now and then with the clock's time: ends what has waited too long. */
  checkTimeouts(now: number): void;
  /** Clock time since when it has had nothing to do and may be closed to make room; null while it has. Absent where that never is. */
  idleSince?(): number | null;
  /** Ends it at once. */
  destroy(): void;
}
