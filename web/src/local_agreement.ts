// Which part of a text that is still being spoken is certain (src/transcribe/local_agreement.cc).

// Thai to Burmese, Khmer, and everything from the CJK radicals to the end of the ideographs.
const UNSPACED = /[\u0e00-\u109f\u1780-\u17ff\u2e80-\u9fff\u{20000}-\u{3ffff}]/u;

/**
 * A text in pieces that are confirmed one by one, joined again by concatenation: words with the
 * space before them; characters where scripts write words without spaces.
 */
export function splitPieces(text: string): string[] {
  const pieces: string[] = [];
  let isAfterSpace = true; // the next character goes on with a piece that is only space so far
  let wasUnspaced = false;
  for (const character of text) {
    const isSpace = /\s/.test(character);
    const isUnspaced = UNSPACED.test(character);
    const begins =
      pieces.length === 0 ||
      (isSpace && !isAfterSpace) ||
      (!isAfterSpace && !isSpace && (wasUnspaced || isUnspaced));
    if (begins) pieces.push('');
    pieces[pieces.length - 1] += character;
    isAfterSpace = isSpace;
    wasUnspaced = isUnspaced;
  }
  return pieces;
}

/** Small ASCII letters, without ASCII punctuation and spaces. */
function plain(piece: string): string {
  return piece.replace(/[\0-/:-@[-`{-\x7f]/g, '').replace(/[A-Z]/g, (letter) => letter.toLowerCase());
}

/**
 * Confirms what two successive hypotheses begin with. Capital letters and punctuation do not count
 * as differences, and what is confirmed stays as it was then.
 */
export class LocalAgreement {
  confirmed = '';
  tentative = '';
  private previous: string[] = []; // pieces of the last hypothesis
  private count = 0; // pieces confirmed

  /** Takes the next hypothesis of the whole text. */
  hear(hypothesis: string): void {
    const pieces = splitPieces(hypothesis);
    const { previous } = this;
    let same = 0;
    while (
      same < Math.min(pieces.length, previous.length) &&
      plain(pieces[same]!) === plain(previous[same]!)
    ) {
      ++same;
    }
    this.confirm(pieces, same);
    this.previous = pieces;
  }

  /** Takes the last one: all of it is confirmed. */
  finish(hypothesis: string): void {
    const pieces = splitPieces(hypothesis);
    this.confirm(pieces, pieces.length);
  }

  private confirm(pieces: readonly string[], count: number): void {
    for (; this.count < count; ++this.count) this.confirmed += pieces[this.count]!;
    this.tentative = pieces.slice(this.count).join('');
  }
}
