// What a .tflite file says of itself.
import { webcrypto } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { contentHash } from '../src/content_hash.js';
import { checkContentHash, checkSha256 } from '../src/integrity.js';
import { describeTflite } from '../src/flatbuffer.js';
import { readModelInfo, vocabularyOf } from '../src/model_info.js';
import { Tokenizer } from '../src/tokenizer.js';
import { at, toyInfo, word } from './scripted_model.js';
import { tfliteFile } from './tflite_file.js';

globalThis.crypto ??= webcrypto as Crypto; // Node.js 18

const HASH_PLACE = 'model-hash-is-written-here-later';
const SIGNATURES = ['features', 'encode', 'cross', 'prefill', 'step'];

function modelJson(changes: Record<string, unknown> = {}): string {
  const { languages, ...config } = toyInfo().config;
  return JSON.stringify({
    format_version: 1,
    name: 'toy',
    model_hash: HASH_PLACE,
    ...config,
    lang_to_id: Object.fromEntries(languages),
    ...changes,
  });
}

function vocabularyText(): string {
  const { tokens, special } = toyInfo().vocabulary;
  return tokens
    .map((bytes, id) => `${btoa(String.fromCharCode(...bytes))} ${special[id] ? 'special' : id}\n`)
    .join('');
}

function bundle(changes: Record<string, unknown> = {}, signatures = SIGNATURES): Uint8Array<ArrayBuffer> {
  const metadata = { 'whisper_s4y.model': modelJson(changes), 'whisper_s4y.vocabulary': vocabularyText() };
  return tfliteFile(metadata, signatures);
}

describe('flatbuffer', () => {
  test('metadata and signatures are found', () => {
    const { metadata, signatures } = describeTflite(tfliteFile({ one: 'a', two: '' }, ['encode']), 'it');
    expect([...metadata].map(([name, bytes]) => [name, new TextDecoder().decode(bytes)])).toEqual([
      ['one', 'a'],
      ['two', ''],
    ]);
    expect(signatures).toEqual(['encode']);
  });

  test('large buffers lie after the flatbuffer', () => {
    const { metadata } = describeTflite(tfliteFile({ one: 'outside' }, [], { areOutside: true }), 'it');
    expect(new TextDecoder().decode(metadata.get('one'))).toBe('outside');
  });

  test('a file that is cut off is told', () => {
    const whole = tfliteFile({ one: 'outside' }, [], { areOutside: true });
    expect(() => describeTflite(whole.slice(0, -2), 'it')).toThrow(
      `it is damaged, or not all of it is there: it has ${whole.length - 2} bytes of at least ${whole.length}.`,
    );
    expect(() => describeTflite(whole.slice(0, 40), 'it')).toThrow('it is damaged, or not all of it is there: ');
  });

  test('what is no .tflite file is refused', () => {
    expect(() => describeTflite(new TextEncoder().encode('GGUF, no flatbuffer'), 'it')).toThrow('it is no .tflite file');
  });

  test('a damaged file never leads outside of it', () => {
    const whole = bundle();
    let refused = 0;
    for (let place = 8; place < whole.length; ++place) {
      const damaged = whole.slice();
      damaged[place]! ^= 0x7f;
      try {
        readModelInfo(damaged, 'it');
      } catch (error) {
        expect(error).toHaveProperty('name', 'WhisperError');
        ++refused;
      }
    }
    expect(refused).toBeGreaterThan(100);
  });
});

describe('model', () => {
  test('what is written is read', () => {
    expect(readModelInfo(bundle(), 'it')).toEqual({ ...toyInfo(), hash: HASH_PLACE, signatures: SIGNATURES });
  });

  test.each([
    [{ format_version: 2 }, 'format version 2'],
    [{ eos_token_id: 'x' }, 'eos_token_id is not a whole number'],
    [{ lang_to_id: [] }, 'lang_to_id is not an object'],
    [{ vocab_size: 60 }, 'do not fit its vocab_size 60'],
  ])('%o is refused', (changes, message) => {
    expect(() => readModelInfo(bundle(changes), 'it')).toThrow(message);
  });

  test('a bundle without what decoding needs is refused', () => {
    expect(() => readModelInfo(bundle({}, ['encode', 'cross', 'step']), 'it')).toThrow(
      'no signature features, prefill: convert the checkpoint with --for web',
    );
    expect(() => readModelInfo(tfliteFile({}, SIGNATURES), 'it')).toThrow('was not made by whisper-s4y convert');
  });

  test.each(['YQ 1', 'YQ== x', '!!!! 3', 'YQ=='])('the line "%s" is no token', (line) => {
    expect(() => vocabularyOf(`YQ== 0\n${line}\n`, 'it')).toThrow('line 2');
  });

  test('a vocabulary does not end within a line', () => {
    expect(() => vocabularyOf('YQ== 0\nYg==', 'it')).toThrow('cut off in line 2');
  });
});

describe('integrity', () => {
  /** The file with its own hash in it, as convert writes it. */
  function signed(): { file: Uint8Array<ArrayBuffer>; hash: string } {
    const file = bundle();
    const hash = contentHash(file);
    const place = new TextDecoder('latin1').decode(file).indexOf(HASH_PLACE);
    file.set(new TextEncoder().encode(hash), place);
    return { file, hash };
  }

  test('the hash in the file is that of the file', () => {
    const { file, hash } = signed();
    const before = file.slice();
    checkContentHash(file, hash, 'it');
    expect(file).toEqual(before);
  });

  test('one changed byte is found', () => {
    const { file, hash } = signed();
    file[file.length - 20]! ^= 1;
    expect(() => checkContentHash(file, hash, 'it')).toThrow('it is damaged');
    expect(() => checkContentHash(file, 'f'.repeat(32), 'it')).toThrow('is no content hash');
  });

  test('SHA-256 is compared in hex', async () => {
    const bytes = new TextEncoder().encode('abc');
    const hash = 'BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD';
    await checkSha256(bytes, hash, 'it');
    await expect(checkSha256(bytes, '00', 'it')).rejects.toThrow('expected 00');
  });
});

describe('tokenizer', () => {
  const { vocabulary, config } = toyInfo();

  test('text is what is no special token and no time', () => {
    const tokenizer = new Tokenizer(vocabulary, config);
    expect(tokenizer.decode([at(0), word('a'), word('b'), config.eos_token_id, at(2)])).toBe(' a b');
    expect(tokenizer.blank).toBe(0);
  });

  test('a character may spread over tokens', () => {
    const tokens = [Uint8Array.of(0xe2, 0x99), Uint8Array.of(0xaa), Uint8Array.of(0x20)];
    const tokenizer = new Tokenizer({ tokens, special: [false, false, false] }, config);
    expect(tokenizer.decode([0, 1])).toBe('♪');
    expect(tokenizer.decode([0, 2])).toBe('\ufffd ');
    // The first token of ♪ is one that is not spoken.
    expect(tokenizer.nonSpeechTokens).toContain(0);
  });

  test('ids that there are not are refused', () => {
    expect(() => new Tokenizer({ tokens: [], special: [] }, config).decode([3])).toThrow('token id 3');
  });
});
