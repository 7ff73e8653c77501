// The windows of 30 s in which the language of a recording is looked for
// (src/transcribe/speech_windows.cc).
import { HOP_LENGTH, WINDOW_FRAMES } from './front_end.js';
import { samplesOf } from './sound.js';
import { type SpeechDetector, VAD_CHUNK } from './speech_detector.js';

const THRESHOLD = 0.5;
const HEARD_AT_ONCE = 32; // chunks, about a second
const ENOUGH = 32; // chunks of speech that a window needs to count
const SOON = 500; // frames: speech that begins so soon does not move the window
const PADDING = 40; // frames before the speech

const chunkOf = (frame: number) => Math.floor((frame * HOP_LENGTH) / VAD_CHUNK);
const frameOf = (chunk: number) => Math.floor((chunk * VAD_CHUNK) / HOP_LENGTH);

/**
 * A window begins with the recording or where the one before ends, but not with several seconds in
 * which nobody speaks: then with the speech. One with hardly any speech counts only when there is no
 * better one. No more is heard than it takes.
 */
export class SpeechWindows {
  private position = 0; // frame at which the next window begins at the earliest
  private readonly probs: number[] = []; // of the chunks, as far as they were heard
  private spare: { begin: number; speech: number } | null = null;
  private hasFound = false;

  constructor(
    private readonly detector: SpeechDetector,
    private readonly sound: Float32Array,
  ) {
    detector.reset();
  }

  /** First frame of the next window; null when there are no more. */
  async next(): Promise<number | null> {
    const frames = Math.floor(this.sound.length / HOP_LENGTH);
    while (this.position < frames) {
      let begin = this.position;
      let first = chunkOf(begin);
      while ((await this.isSpeech(first)) === false) ++first;
      if (!(await this.isSpeech(first))) break;
      if (frameOf(first) - begin > SOON) begin = frameOf(first) - PADDING;
      const end = chunkOf(begin + WINDOW_FRAMES);
      let speech = 0;
      for (let i = first; i < end && speech < ENOUGH; ++i) {
        const isSpeech = await this.isSpeech(i);
        if (isSpeech === null) break;
        if (isSpeech) ++speech;
      }
      this.position = begin + WINDOW_FRAMES;
      if (speech >= ENOUGH) {
        this.hasFound = true;
        return begin;
      }
      if (speech > (this.spare?.speech ?? 0)) this.spare = { begin, speech };
    }
    this.position = frames;
    if (this.hasFound) return null;
    this.hasFound = true;
    return this.spare?.begin ?? 0;
  }

  /** Null after the last whole chunk. */
  private async isSpeech(chunk: number): Promise<boolean | null> {
    // Whole frames alone, as the program hears them.
    const end = Math.floor(this.sound.length / HOP_LENGTH) * HOP_LENGTH;
    while (chunk >= this.probs.length) {
      const begin = this.probs.length * VAD_CHUNK;
      const count = Math.min(HEARD_AT_ONCE, Math.floor((end - begin) / VAD_CHUNK));
      if (count <= 0) return null;
      const chunks = samplesOf(this.sound, begin, begin + count * VAD_CHUNK);
      this.probs.push(...(await this.detector.hear(chunks)));
    }
    return this.probs[chunk]! >= THRESHOLD;
  }
}
