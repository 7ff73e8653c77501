// Sound of any sample rate at 16 kHz, as it comes: for browsers that do not resample a microphone.
import { SAMPLE_RATE } from './front_end.js';
import { joined } from './sound.js';

/** Zero crossings of the sinc on each side. */
const CROSSINGS = 16;

export class Resampler {
  private readonly step: number; // input samples from one output sample to the next
  private readonly cutoff: number; // of the input's Nyquist frequency
  private readonly reach: number; // input samples on each side that an output sample looks at
  private pending: Float32Array; // input from `begin` on
  private begin: number;
  private next = 0; // number of the next output sample

  constructor(sampleRate: number) {
    this.step = sampleRate / SAMPLE_RATE;
    this.cutoff = Math.min(1, 1 / this.step);
    this.reach = Math.ceil(CROSSINGS / this.cutoff);
    this.begin = -this.reach;
    this.pending = new Float32Array(this.reach); // silence before the sound
  }

  /** Gives what can be said so far; the last samples wait for what follows them. */
  push(samples: Float32Array): Float32Array {
    this.pending = joined([this.pending, samples]);
    const end = this.begin + this.pending.length;
    const result: number[] = [];
    for (; Math.floor(this.next * this.step) + this.reach < end; ++this.next) {
      result.push(this.at(this.next * this.step));
    }
    const needed = Math.floor(this.next * this.step) - this.reach + 1;
    this.pending = this.pending.slice(needed - this.begin);
    this.begin = needed;
    return Float32Array.from(result);
  }

  /** The sound at a place between input samples: a sinc under a Hann window. */
  private at(place: number): number {
    const first = Math.floor(place) - this.reach + 1;
    let sum = 0;
    for (let i = first; i < first + 2 * this.reach; ++i) {
      const distance = (i - place) * this.cutoff;
      if (Math.abs(distance) >= CROSSINGS) continue;
      const sinc = distance === 0 ? 1 : Math.sin(Math.PI * distance) / (Math.PI * distance);
      const window = 0.5 + 0.5 * Math.cos((Math.PI * distance) / CROSSINGS);
      sum += this.pending[i - this.begin]! * sinc * window;
    }
    return sum * this.cutoff;
  }
}
