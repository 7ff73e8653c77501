// Voice activity detection: tells speech from everything else, 32 ms at a time (src/vad).
import { WhisperError } from './errors.js';
import { SAMPLE_RATE } from './front_end.js';

/** Samples that one probability is for. */
export const VAD_CHUNK = 512;

export interface SpeechDetector {
  /** Forgets what was heard: the next chunk is the beginning of a recording. */
  reset(): void;
  /** Hears further whole chunks of a recording and gives the probability of speech of each. */
  hear(chunks: Float32Array): Promise<Float32Array>;
}

/**
 * Probabilities for a whole recording from its beginning. As in faster-whisper, zeros fill the last
 * chunk, and a recording of whole chunks gets one more chunk of zeros.
 */
export async function speechProbs(detector: SpeechDetector, audio: Float32Array): Promise<Float32Array> {
  detector.reset();
  const chunks = new Float32Array((Math.floor(audio.length / VAD_CHUNK) + 1) * VAD_CHUNK);
  chunks.set(audio);
  return detector.hear(chunks);
}

const QUIETEST = -60; // dB of full scale: the background is never below
const LOUDEST_START = -35; // nor above at first: a recording may begin with speech
const MARGIN = 12; // dB above the background that make the odds even
const SLOPE = 2; // dB that multiply the odds by e
const RISE = (0.5 * VAD_CHUNK) / SAMPLE_RATE; // dB the background rises in a chunk

/**
 * Speech by loudness, for where no model runs: what is clearly louder than the background, whose
 * level is followed down at once, up slowly. Music and noise that come and go count as speech too.
 */
export class EnergyDetector implements SpeechDetector {
  private background: number | null = null; // dB of full scale

  reset(): void {
    this.background = null;
  }

  async hear(chunks: Float32Array): Promise<Float32Array> {
    if (chunks.length % VAD_CHUNK !== 0) {
      throw new WhisperError('invalid_argument', `${chunks.length} samples are not chunks of ${VAD_CHUNK}.`);
    }
    return Float32Array.from({ length: chunks.length / VAD_CHUNK }, (_, i) => {
      let energy = 0;
      for (const sample of chunks.subarray(i * VAD_CHUNK, (i + 1) * VAD_CHUNK)) energy += sample * sample;
      const level = 10 * Math.log10(energy / VAD_CHUNK + 1e-12);
      const start = this.background === null ? LOUDEST_START : this.background + RISE;
      this.background = Math.max(QUIETEST, Math.min(level, start));
      return 1 / (1 + Math.exp((this.background + MARGIN - level) / SLOPE));
    });
  }
}
