// The rule that turns probabilities of speech into utterances, as they begin and end
// (faster-whisper vad.py: get_speech_timestamps; src/vad/speech_tracker.cc, speech_stream.cc).
import { WhisperError } from './errors.js';
import { SAMPLE_RATE } from './front_end.js';
import { joined } from './sound.js';
import { type SpeechDetector, VAD_CHUNK } from './speech_detector.js';

/** How probabilities of speech become utterances. Names and defaults as in the program. */
export interface VadOptions {
  /** Probability from which on a chunk is speech. Default 0.5. */
  threshold?: number;
  /** Shorter utterances are dropped. Default 250. */
  minSpeechMs?: number;
  /** Longer ones are split, at a pause if there is one. Default 28. */
  maxSpeechSeconds?: number;
  /** That ends an utterance. Default 500. */
  minSilenceMs?: number;
  /** Sound that is kept around an utterance. Default 200. */
  padMs?: number;
}

const MIN_SILENCE_AT_MAX_SPEECH_MS = 98;

function checkedVadOptions(options: VadOptions): Required<VadOptions> {
  const checked = {
    threshold: options.threshold ?? 0.5,
    minSpeechMs: options.minSpeechMs ?? 250,
    maxSpeechSeconds: options.maxSpeechSeconds ?? 28,
    minSilenceMs: options.minSilenceMs ?? 500,
    padMs: options.padMs ?? 200,
  };
  for (const [name, value] of Object.entries(checked)) {
    if (Number.isFinite(value) && value >= 0 && (name !== 'threshold' || (value > 0 && value < 1))) continue;
    throw new WhisperError('invalid_argument', `The option ${name} of the VAD cannot be ${value}.`);
  }
  // Otherwise every chunk would be split off.
  const least = (2 * checked.padMs) / 1000 + (2 * VAD_CHUNK) / SAMPLE_RATE;
  if (checked.maxSpeechSeconds < least) {
    throw new WhisperError(
      'invalid_argument',
      `maxSpeechSeconds is ${checked.maxSpeechSeconds}, expected at least ${least}: twice padMs and two chunks.`,
    );
  }
  return checked;
}

/** A stretch of speech, in samples: [start, end). */
export interface SpeechSegment {
  start: number;
  end: number;
}

export class SpeechTracker {
  private readonly threshold: number;
  private readonly negThreshold: number;
  private readonly minSpeech: number; // samples, as all that follow
  private readonly maxSpeech: number;
  private readonly minSilence: number;
  private readonly minSilenceAtMaxSpeech: number;

  private position = 0; // of the next chunk
  private silence: number | null = null; // where the silence began that may end the segment
  private splitEnd: number | null = null; // where the segment ends if it must be split
  private splitStart: number | null = null; // where it goes on then; null while it is silent
  /** Where the current segment began; null in silence. */
  start: number | null = null;

  constructor(options: Required<VadOptions>) {
    const samples = (ms: number) => (SAMPLE_RATE * ms) / 1000;
    this.threshold = options.threshold;
    this.negThreshold = Math.max(options.threshold - 0.15, 0.01);
    this.minSpeech = samples(options.minSpeechMs);
    this.maxSpeech = SAMPLE_RATE * options.maxSpeechSeconds - VAD_CHUNK - 2 * samples(options.padMs);
    this.minSilence = samples(options.minSilenceMs);
    this.minSilenceAtMaxSpeech = samples(MIN_SILENCE_AT_MAX_SPEECH_MS);
  }

  private endSegment(end: number): SpeechSegment {
    const segment = { start: this.start!, end };
    this.start = this.silence = this.splitEnd = this.splitStart = null;
    return segment;
  }

  /** Takes the probability of the next chunk; gives the segment that it ends, if any. */
  next(speechProb: number): SpeechSegment | null {
    const position = this.position;
    this.position += VAD_CHUNK;
    const isSpeech = speechProb >= this.threshold;
    if (isSpeech && this.silence !== null) {
      this.silence = null;
      if (this.splitEnd !== null && this.splitStart === null) this.splitStart = position;
    }
    if (this.start === null) {
      if (isSpeech) this.start = position;
      return null;
    }
    let ended: SpeechSegment | null = null;
    if (position - this.start > this.maxSpeech) {
      if (this.splitEnd === null) return this.endSegment(position);
      const goesOn = this.splitStart;
      ended = this.endSegment(this.splitEnd);
      this.start = goesOn;
      if (this.start === null) return ended;
    }
    if (speechProb >= this.negThreshold) return ended;
    this.silence ??= position;
    const silent = position - this.silence;
    if (silent > this.minSilenceAtMaxSpeech) {
      this.splitEnd = this.silence;
      this.splitStart = null;
    }
    if (silent < this.minSilence) return ended;
    return this.longEnough(this.endSegment(this.silence));
  }

  /** The sound ends after so many samples; gives the segment that lasted until then. */
  finish(length: number): SpeechSegment | null {
    return this.start === null ? null : this.longEnough(this.endSegment(length));
  }

  private longEnough(segment: SpeechSegment): SpeechSegment | null {
    return segment.end - segment.start > this.minSpeech ? segment : null;
  }
}

/** An utterance began, ended, or was too short to be one. */
export interface SpeechEvent {
  kind: 'start' | 'end' | 'dropped';
  /** Of the sound, with padding. */
  sample: number;
}

/** Hears sound piece by piece and tells where utterances start and end. */
export class SpeechStream {
  /** Samples pushed so far. */
  position = 0;
  readonly padding: number;
  private readonly tracker: SpeechTracker;
  private pending = new Float32Array(); // less than a chunk
  private toldUntil = 0; // end of the last utterance told

  constructor(
    private readonly detector: SpeechDetector,
    options: VadOptions,
  ) {
    const checked = checkedVadOptions(options);
    this.tracker = new SpeechTracker(checked);
    this.padding = Math.floor((SAMPLE_RATE * checked.padMs) / 1000);
    detector.reset();
  }

  /** Hears any number of samples and gives what happened in them, in order. */
  async push(samples: Float32Array): Promise<SpeechEvent[]> {
    const all = joined([this.pending, samples]);
    this.position += samples.length;
    const whole = all.length - (all.length % VAD_CHUNK);
    this.pending = all.slice(whole);
    const found: SpeechEvent[] = [];
    for (const prob of await this.detector.hear(all.subarray(0, whole))) {
      const before = this.tracker.start;
      this.tell(before, this.tracker.next(prob), found);
    }
    return found;
  }

  /** The sound is over: hears what is left of the last chunk and ends the utterance. */
  async finish(): Promise<SpeechEvent[]> {
    const found: SpeechEvent[] = [];
    if (this.pending.length > 0) {
      const chunk = new Float32Array(VAD_CHUNK);
      chunk.set(this.pending);
      this.pending = new Float32Array();
      for (const prob of await this.detector.hear(chunk)) {
        const before = this.tracker.start;
        this.tell(before, this.tracker.next(prob), found);
      }
    }
    const before = this.tracker.start;
    this.tell(before, this.tracker.finish(this.position), found);
    return found;
  }

  private tell(before: number | null, ended: SpeechSegment | null, found: SpeechEvent[]): void {
    const tellStart = (start: number) =>
      found.push({ kind: 'start', sample: Math.max(this.toldUntil, start - this.padding) });
    const now = this.tracker.start;
    if (before !== null && now !== before && ended === null) {
      found.push({ kind: 'dropped', sample: before });
    }
    if (ended !== null) {
      if (ended.start !== before) tellStart(ended.start);
      this.toldUntil = Math.min(ended.end + this.padding, this.position);
      // Speech that goes on after a split keeps the half of the pause before it.
      if (now !== null) this.toldUntil = Math.min(this.toldUntil, Math.floor((ended.end + now) / 2));
      found.push({ kind: 'end', sample: this.toldUntil });
    }
    if (now !== null && now !== before) tellStart(now);
  }
}
