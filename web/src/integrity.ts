// Whether a file is the one that was written.
import { contentHash } from './content_hash.js';
import { WhisperError } from './errors.js';

// What stands in the file where its hash is written once it is known (src/tflite/writer.h).
const PLACEHOLDER = new TextEncoder().encode('model-hash-is-written-here-later');

/** Where `text` begins in `bytes`; -1 when it is not there. */
function find(bytes: Uint8Array, text: Uint8Array): number {
  for (let at = bytes.indexOf(text[0]!); at >= 0; at = bytes.indexOf(text[0]!, at + 1)) {
    if (text.every((byte, i) => bytes[at + i] === byte)) return at;
  }
  return -1;
}

/**
 * Throws WhisperError when the file is not what its own content hash says. Its digits are replaced
 * for the while: the hash was made before they were known. `hash` empty: the file has none.
 */
export function checkContentHash(file: Uint8Array, hash: string, source: string): void {
  if (hash === '') return;
  const digits = new TextEncoder().encode(hash);
  const at = find(file, digits);
  if (digits.length !== PLACEHOLDER.length || at < 0) {
    throw new WhisperError('bad_file', `${source}: "${hash}" is no content hash.`);
  }
  file.set(PLACEHOLDER, at);
  const found = contentHash(file);
  file.set(digits, at);
  if (found !== hash) {
    throw new WhisperError(
      'bad_file',
      `${source} is damaged: its content hash is ${found}, expected ${hash}. Load it again.`,
    );
  }
}

/** Throws WhisperError when the file has another SHA-256, in hex digits. */
export async function checkSha256(file: Uint8Array<ArrayBuffer>, expected: string, source: string): Promise<void> {
  if (globalThis.crypto?.subtle === undefined) {
    throw new WhisperError(
      'unsupported',
      'SHA-256 cannot be computed here: browsers do that only for pages from https or localhost.',
    );
  }
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', file));
  const found = Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
  if (found !== expected.toLowerCase()) {
    throw new WhisperError('bad_file', `${source} has the SHA-256 ${found}, expected ${expected}.`);
  }
}
