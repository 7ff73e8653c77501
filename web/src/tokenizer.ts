// From token ids to text: bytes joined, then decoded, for a character may spread over tokens.
import { WhisperError } from './errors.js';
import { type ModelConfig, type Vocabulary, timestampBegin } from './model_info.js';

/** The white space that Python's and the program's strip() take off. */
export function stripped(text: string): string {
  return text.replace(/^[ \t\n\v\f\r]+|[ \t\n\v\f\r]+$/g, '');
}

// openai/whisper tokenizer.py: non_speech_tokens.
const NON_SPEECH = [
  ...'"#()*+/:;<=>@[\\]^_`{|}~「」『』',
  ...['<<', '>>', '<<<', '>>>', '--', '---', '-(', '-[', "('", '("', '((', '))', '(((', ')))'],
  ...['[[', ']]', '{{', '}}', '♪♪', '♪♪♪'],
];
const MUSIC = [...'♩♪♫♬♭♮♯'];

export class Tokenizer {
  private readonly utf8 = new TextDecoder();
  private readonly first: number; // timestamp
  /** Tokens of symbols that are not spoken, sorted. */
  readonly nonSpeechTokens: number[];
  /** The token of " ". */
  readonly blank: number;

  constructor(
    private readonly vocabulary: Vocabulary,
    config: ModelConfig,
  ) {
    this.first = timestampBegin(config);
    const ids = this.idsOfTexts();
    this.blank = ids.get(' ') ?? -1;
    this.nonSpeechTokens = nonSpeechTokens(ids);
  }

  /** Text of the tokens that are text. What is no UTF-8 becomes U+FFFD. */
  decode(ids: readonly number[]): string {
    const parts = ids.filter((id) => id < this.first && !this.isSpecial(id)).map((id) => this.bytes(id));
    const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
    let at = 0;
    for (const part of parts) {
      bytes.set(part, at);
      at += part.length;
    }
    return this.utf8.decode(bytes);
  }

  private bytes(id: number): Uint8Array {
    const bytes = this.vocabulary.tokens[id];
    if (bytes === undefined) {
      throw new WhisperError(
        'invalid_argument',
        `The token id ${id} is not in the vocabulary of ${this.vocabulary.tokens.length} tokens.`,
      );
    }
    return bytes;
  }

  private isSpecial(id: number): boolean {
    return this.vocabulary.special[id] ?? false;
  }

  /** Latin-1 view of a token's bytes -> its id, of the tokens that are text. */
  private idsOfTexts(): Map<string, number> {
    const ids = new Map<string, number>();
    this.vocabulary.tokens.forEach((bytes, id) => {
      if (!this.isSpecial(id) && bytes.length <= 12) ids.set(String.fromCharCode(...bytes), id);
    });
    return ids;
  }
}

/**
 * The reference encodes each symbol and takes it when it is one token; of notes it takes the first
 * token in any case. The first token of an encoded note is the longest run of its bytes that the
 * byte-level vocabulary merges.
 */
function nonSpeechTokens(ids: Map<string, number>): number[] {
  const found = new Set<number>();
  const latin1 = (text: string) => String.fromCharCode(...new TextEncoder().encode(text));
  const add = (id: number | undefined) => {
    if (id !== undefined) found.add(id);
  };
  add(ids.get(' -'));
  add(ids.get(" '"));
  for (const symbol of NON_SPEECH) {
    for (const text of [symbol, ` ${symbol}`]) add(ids.get(latin1(text)));
  }
  for (const sign of MUSIC) {
    for (const text of [sign, ` ${sign}`]) {
      const bytes = latin1(text);
      for (let length = bytes.length; length > 0; --length) {
        const id = ids.get(bytes.slice(0, length));
        if (id === undefined) continue;
        found.add(id);
        break;
      }
    }
  }
  return [...found].sort((left, right) => left - right);
}
