// Random numbers that are those of the program for one seed: std::mt19937_64.

const MASK = (1n << 64n) - 1n;
const SIZE = 312;
const SHIFT = 156;

export class Random {
  private readonly state = new BigUint64Array(SIZE);
  private next = SIZE;

  constructor(seed: bigint) {
    this.state[0] = seed & MASK;
    for (let i = 1; i < SIZE; ++i) {
      const last = this.state[i - 1]!;
      this.state[i] = (6364136223846793005n * (last ^ (last >> 62n)) + BigInt(i)) & MASK;
    }
  }

  /** In [0, 1). */
  uniform(): number {
    return Number(this.bits() >> 11n) * 2 ** -53;
  }

  private bits(): bigint {
    if (this.next === SIZE) this.twist();
    let x = this.state[this.next++]!;
    x ^= (x >> 29n) & 0x5555555555555555n;
    x ^= (x << 17n) & 0x71d67fffeda60000n;
    x ^= (x << 37n) & 0xfff7eee000000000n;
    x ^= x >> 43n;
    return x & MASK;
  }

  private twist(): void {
    for (let i = 0; i < SIZE; ++i) {
      const x =
        (this.state[i]! & 0xffffffff80000000n) | (this.state[(i + 1) % SIZE]! & 0x7fffffffn);
      const odd = (x & 1n) === 1n ? 0xb5026f5aa96619e9n : 0n;
      this.state[i] = this.state[(i + SHIFT) % SIZE]! ^ (x >> 1n) ^ odd;
    }
    this.next = 0;
  }
}
