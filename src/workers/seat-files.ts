/**
 * Responses of one seat whose body is a file (PROTOCOL.md, FILE). The worker holds it open until it hears that the front has it: so it may be removed
 * or renamed, or never have had a name; and then the worker is free, however slowly the client takes it.
 */
import type { Exchange } from "../http/exchange.ts";
import { sendFile } from "../spool/file-sender.ts";
import { filePayload, frame, ToWorker, WireError } from "../wire/frames.ts";
import type { SeatOwner } from "./seat-owner.ts";
import type { SeatOutflow } from "./seat-outflow.ts";
import type { Slots } from "./slots.ts";

const IS_OPEN = Buffer.from([1]);

export class SeatFiles {
  readonly #slots: Slots;
  readonly #outflow: SeatOutflow;
  readonly #opening = new Set<Exchange>();

  constructor(slots: Slots, outflow: SeatOutflow) {
    this.#slots = slots;
    this.#outflow = outflow;
  }

  /**
   * A FILE frame.
   * @param finished called when the file is open, and the worker has no more to do with the response.
   * @param owner hears why it cannot be sent whole; the client's connection has been cut then.
   */
  begin(exchange: Exchange, payload: Buffer, finished: () => void, owner: Pick<SeatOwner, "onBadResponse">): void {
    const id = exchange.slot;
    if (exchange.bufferedBytes > 0) throw new WireError(`a file after the body of response ${id} began`);
    if (this.#opening.has(exchange)) throw new WireError(`a second file for response ${id}`);
    this.#opening.add(exchange);
    const opened = (isOpen: boolean): void => {
      this.#opening.delete(exchange);
      // Else the worker is gone, or has given it up.
      if (this.#slots.get(id) !== exchange) return;
      this.#outflow.send(frame(ToWorker.fileTaken, id, isOpen ? IS_OPEN : undefined));
      if (isOpen) finished();
    };
    sendFile(exchange, filePayload(payload), opened, (reason) => owner.onBadResponse(exchange, reason));
  }
}
