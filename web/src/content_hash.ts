// xxh3-128, by which whisper-s4y convert names what it has written
// (github.com/Cyan4973/xxHash, XXH3_128bits; src/common/content_hash.cc). Against damage, not
// against forgery: for that there is SHA-256.
import { WhisperError } from './errors.js';

const SECRET = Uint8Array.from(
  (
    'b8fe6c3923a44bbe7c01812cf721ad1cded46de9839097db7240a4a4b7b3671fcb79e64eccc0e578825ad07dccff7221' +
    'b8084674f743248ee03590e6813a264c3c2852bb91c300cb88d0658b1b532ea371644897a20df94e3819ef46a9deacd8' +
    'a8fa763fe39c343ff9dcbbc7c70b4f1d8a51e04bcdb45931c89f7ec9d9787364eac5ac8334d3ebc3c581a0fffa1363eb' +
    '170ddd51b7f0da49d316552629d4689e2b16be587d47a1fc8ff8b8d17ad031ce45cb3a8f95160428afd7fbcabb4b407e'
  ).match(/../g)!,
  (byte) => parseInt(byte, 16),
);
const STRIPE = 64;
const LAST_STRIPE = SECRET.length - STRIPE;
const STRIPES_IN_BLOCK = LAST_STRIPE / 8;
const SHORTEST = 241; // bytes; shorter input has other formulas, and no model is so short
const PRIME32_1 = 0x9e3779b1;
const PRIME64_1 = 0x9e3779b185ebca87n;
const PRIME64_2 = 0xc2b2ae3d27d4eb4fn;
const START = [
  0xc2b2ae3dn,
  PRIME64_1,
  PRIME64_2,
  0x165667b19e3779f9n,
  0x85ebca77c2b2ae63n,
  0x85ebca77n,
  0x27d4eb2f165667c5n,
  BigInt(PRIME32_1),
];
const MASK = (1n << 64n) - 1n;

/** The upper half of the product of two 32-bit numbers. */
function highProduct(a: number, b: number): number {
  const low = (a & 0xffff) * b;
  return Math.floor(((a >>> 16) * b + Math.floor(low / 0x10000)) / 0x10000) >>> 0;
}

/** Eight sums of 64 bits, each in two halves. */
class Accumulator {
  readonly low = Uint32Array.from(START, (one) => Number(one & 0xffffffffn));
  readonly high = Uint32Array.from(START, (one) => Number(one >> 32n));

  add(view: DataView, at: number, secret: DataView, secretAt: number): void {
    const { low, high } = this;
    for (let lane = 0; lane < 8; ++lane) {
      const dataLow = view.getUint32(at + 8 * lane, true);
      const dataHigh = view.getUint32(at + 8 * lane + 4, true);
      const keyLow = (dataLow ^ secret.getUint32(secretAt + 8 * lane, true)) >>> 0;
      const keyHigh = (dataHigh ^ secret.getUint32(secretAt + 8 * lane + 4, true)) >>> 0;
      const other = lane ^ 1;
      const otherLow = low[other]! + dataLow;
      high[other] = high[other]! + dataHigh + (otherLow > 0xffffffff ? 1 : 0);
      low[other] = otherLow;
      const laneLow = low[lane]! + (Math.imul(keyLow, keyHigh) >>> 0);
      high[lane] = high[lane]! + highProduct(keyLow, keyHigh) + (laneLow > 0xffffffff ? 1 : 0);
      low[lane] = laneLow;
    }
  }

  scramble(secret: DataView): void {
    const { low, high } = this;
    for (let lane = 0; lane < 8; ++lane) {
      const h = high[lane]!;
      const keyLow = secret.getUint32(LAST_STRIPE + 8 * lane, true);
      const keyHigh = secret.getUint32(LAST_STRIPE + 8 * lane + 4, true);
      const l = (low[lane]! ^ (h >>> 15) ^ keyLow) >>> 0; // x ^ x >> 47
      high[lane] = Math.imul((h ^ keyHigh) >>> 0, PRIME32_1) + highProduct(l, PRIME32_1);
      low[lane] = Math.imul(l, PRIME32_1);
    }
  }

  merge(secretAt: number, start: bigint, secret: DataView): bigint {
    const value = (lane: number) => (BigInt(this.high[lane]!) << 32n) | BigInt(this.low[lane]!);
    const key = (at: number) => secret.getBigUint64(secretAt + at, true);
    let result = start;
    for (let i = 0; i < 4; ++i) {
      const product = (value(2 * i) ^ key(16 * i)) * (value(2 * i + 1) ^ key(16 * i + 8));
      result += (product & MASK) ^ (product >> 64n);
    }
    result &= MASK;
    result ^= result >> 37n;
    result = (result * 0x165667919e3779f9n) & MASK;
    return result ^ (result >> 32n);
  }
}

/** 32 hex digits over more than 240 bytes. */
export function contentHash(bytes: Uint8Array): string {
  if (bytes.length < SHORTEST) {
    throw new WhisperError('bad_file', `A file of ${bytes.length} bytes is no model.`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const secret = new DataView(SECRET.buffer);
  const sums = new Accumulator();
  const stripes = Math.floor((bytes.length - 1) / STRIPE);
  for (let i = 0; i < stripes; ++i) {
    const inBlock = i % STRIPES_IN_BLOCK;
    sums.add(view, i * STRIPE, secret, 8 * inBlock);
    // The last block is scrambled only when it is followed by something.
    const blockEnd = (i + 1) * STRIPE;
    if (inBlock === STRIPES_IN_BLOCK - 1 && blockEnd <= bytes.length - 1) sums.scramble(secret);
  }
  sums.add(view, bytes.length - STRIPE, secret, LAST_STRIPE - 7);
  const length = BigInt(bytes.length);
  const low = sums.merge(11, (length * PRIME64_1) & MASK, secret);
  const high = sums.merge(LAST_STRIPE - 11, ~(length * PRIME64_2) & MASK, secret);
  return [high, low].map((half) => half.toString(16).padStart(16, '0')).join('');
}
