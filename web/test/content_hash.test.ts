import { expect, test } from 'vitest';
import { contentHash } from '../src/content_hash.js';

/** i * 31 + i / 256, as bytes. */
const bytes = (count: number) => Uint8Array.from({ length: count }, (_, i) => i * 31 + (i >> 8));

// From libxxhash: xxhash.xxh3_128_hexdigest() of the same bytes.
test.each([
  [241, '8e7e1f2fe4156df918773c512b008a63'],
  [256, 'dfb78b82a959f4f6cdd3578b9df45e59'],
  [1024, 'ea65234127f4dd7b5a1893edffa2577c'],
  [1025, '0fabde917fb0af22550abe5d45dd663b'],
  [1088, '4a28e7cc1665a6b6d3eebd69ab373526'],
  [2048, 'a45dd41bb30e20e51125cc0c79331fcb'],
  [2049, 'a9fe7bbd2da45d579caf050b253e1939'],
  [100000, '1ceab015e15e2ba199dbd27fc89c5372'],
])('%i bytes', (count, hash) => {
  expect(contentHash(bytes(count))).toBe(hash);
});
