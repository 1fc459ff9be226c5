/**
 * HPACK's Huffman code (RFC 7541 section 5.2 and Appendix B), decoding only: what we send is not worth the time.
 *
 * The code is canonical: code words of one length follow each other in the order of their symbols, and longer ones continue where shorter ones
 * end. So the lengths are all there is to know.
 */

/** Length of the code of each of the 256 bytes and of EOS, one base-36 digit each. */
const LENGTHS =
  "dnsssssssoussussssssssusssssssss6aacd68baa8b8666555666666678f6cad67777777777777777777777878djde6f565656665776665676556777" +
  "77fbedskmkkmmmnmnnnnnonoomnonnnnlmnmnnomlkmmnnlnmmolmnnllmlnmnnkmmmnmmnqqkjmnmpqqqrrqopjlqrrqrollqqsrrrkoklmllnmmppooqnq" +
  "rqqrrrrrsrrrrrqu";
const EOS = 256;

/** Bits of a table entry: the next state in the low byte, then the symbol completed by these four bits. */
const HAS_SYMBOL = 1 << 16;
const FAILS = 1 << 17;

/** Four bits at a time: entry `state * 16 + bits`. The shortest code has five bits, so no four complete two symbols. */
const STEPS = new Int32Array(256 * 16);
/** States in which a string may end: up to seven bits of EOS, which are all ones, are padding. */
const MAY_END = new Uint8Array(256);

buildTables();

let scratch = Buffer.allocUnsafeSlow(4096);

/** The text of a Huffman-coded string, one character per byte; null where it is malformed. */
export function huffmanDecode(bytes: Buffer, start: number, end: number): string | null {
  const most = Math.ceil(((end - start) * 8) / 5);
  if (scratch.length < most) scratch = Buffer.allocUnsafeSlow(most * 2);
  let length = 0;
  let state = 0;
  for (let at = start; at < end; at++) {
    const byte = bytes[at]!;
    const high = STEPS[state * 16 + (byte >> 4)]!;
    if (high >= HAS_SYMBOL) {
      if (high >= FAILS) return null;
      scratch[length++] = high >> 8;
    }
    const low = STEPS[(high & 0xff) * 16 + (byte & 15)]!;
    if (low >= HAS_SYMBOL) {
      if (low >= FAILS) return null;
      scratch[length++] = low >> 8;
    }
    state = low & 0xff;
  }
  return MAY_END[state] === 1 ? scratch.toString("latin1", 0, length) : null;
}

// Private

function buildTables(): void {
  /** Children of the tree's inner nodes, two each: another node's number, or the complement of a symbol. Node 0 is the root. */
  const children: number[] = [0, 0];
  const symbols = Array.from(LENGTHS, (digit, symbol) => ({ symbol, length: Number.parseInt(digit, 36) }));
  symbols.sort((a, b) => a.length - b.length || a.symbol - b.symbol);
  let code = 0;
  let codeLength = 0;
  for (const { symbol, length } of symbols) {
    code *= 2 ** (length - codeLength);
    codeLength = length;
    let node = 0;
    for (let bit = length - 1; bit > 0; bit--) {
      const branch = node * 2 + (Math.floor(code / 2 ** bit) % 2);
      if (children[branch] === 0) {
        children[branch] = children.length / 2;
        children.push(0, 0);
      }
      node = children[branch]!;
    }
    children[node * 2 + (code % 2)] = ~symbol;
    code++;
  }
  for (let state = 0; state * 2 < children.length; state++) {
    for (let bits = 0; bits < 16; bits++) STEPS[state * 16 + bits] = step(children, state, bits);
  }
  for (let node = 0, depth = 0; depth < 8; depth++) {
    MAY_END[node] = 1;
    node = children[node * 2 + 1]!;
  }
}

function step(children: readonly number[], state: number, bits: number): number {
  let node = state;
  let symbol = 0;
  for (let bit = 3; bit >= 0; bit--) {
    node = children[node * 2 + ((bits >> bit) & 1)]!;
    if (node >= 0) continue;
    // RFC 7541 section 5.2: a string that has EOS is an error.
    if (~node === EOS) return FAILS;
    symbol = HAS_SYMBOL | (~node << 8);
    node = 0;
  }
  return symbol | node;
}
