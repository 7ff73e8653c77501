// The walk over a recording, one 30 s window after the other (openai/whisper transcribe.py;
// src/transcribe/long_form.cc, window_transcriber.cc).
import { AudibleSpans, LONG_SILENCE } from './audible_spans.js';
import type { DecoderModel } from './decoder_model.js';
import { events } from './events.js';
import { FRAMES_PER_SECOND, HOP_LENGTH, SAMPLE_RATE, WINDOW_FRAMES } from './front_end.js';
import { LanguageVote } from './language_vote.js';
import { LogMel } from './log_mel.js';
import type { CheckedOptions } from './options.js';
import {
  type Segment,
  type SoundSpan,
  type WindowPlace,
  endWithWindow,
  frameAt,
  putInOrder,
  saysSomething,
  splitSegments,
  textTokens,
} from './segments.js';
import { samplesOf } from './sound.js';
import { type SpeechDetector, VAD_CHUNK, speechProbs } from './speech_detector.js';
import { SpeechWindows } from './speech_windows.js';
import type { Tokenizer } from './tokenizer.js';
import type { TranscribeProgress, Transcript } from './transcript.js';
import {
  type DecodingResult,
  type LanguageProbs,
  WindowDecoder,
  mostLikely,
  promptRoom,
} from './window_decoder.js';

const LEAD_IN = 20; // frames of long silence that stay
// The last window, if it is shorter, counts only when somebody speaks in it.
const SHORT_REST = 300; // frames
const BEFORE_REST = 50; // frames that the detector hears before
const MAYBE_SPEECH = 0.35; // probability
/** After a window decoded above this, the text so far is no prompt any more. */
const PROMPT_RESET_ON_TEMPERATURE = 0.5;
/** Windows of speech to look at until one is sure of the language. */
const LANGUAGE_WINDOWS = 4;

/** What a recording is transcribed with. */
export interface Tools {
  model: DecoderModel;
  tokenizer: Tokenizer;
  detector: SpeechDetector;
}

/** What the caller hears of; what one throws ends the work. */
export interface Callbacks {
  onSegment(segment: Segment): void;
  onProgress(progress: TranscribeProgress): void;
  /** Throws when the caller has had enough. */
  check(): void;
}

/** One recording, mono at 16 kHz, on its way to a transcript. `history`: tokens of text before it. */
export class LongForm {
  private readonly logMel: LogMel;
  private readonly audible: AudibleSpans;
  private readonly decoder: WindowDecoder;
  private encoded: WindowPlace | null = null; // what the decoder attends to
  private readonly segments: Segment[] = [];
  private language: string;
  private languageProbability = 1;
  private tokens = 0;
  private decodingSeconds = 0;
  private resetSince = 0; // the part of `history` that prompts the next window
  private lastEnd = 0; // of the last segment, seconds
  private done = 0; // frames

  constructor(
    private readonly tools: Tools,
    private readonly sound: Float32Array,
    private readonly options: CheckedOptions,
    private readonly callbacks: Callbacks,
    private readonly history: number[] = [],
  ) {
    this.logMel = new LogMel(tools.model, sound);
    this.audible = new AudibleSpans(this.logMel);
    this.decoder = new WindowDecoder(tools.model, tools.tokenizer, options);
    this.language = options.language;
  }

  /** To be called once. */
  async run(): Promise<Transcript> {
    if (this.language === '') {
      const probs = await this.detectLanguage();
      [this.language, this.languageProbability] = mostLikely(probs);
    }
    await this.walk();
    const { config } = this.tools.model.info;
    return {
      // Together: a character may be spread over two segments.
      text: this.tools.tokenizer.decode(this.segments.flatMap(({ tokens }) => textTokens(tokens, config))),
      segments: this.segments,
      language: this.language,
      languageProbability: this.languageProbability,
      duration: this.sound.length / SAMPLE_RATE,
      tokens: this.tokens,
    };
  }

  /** Of the first windows with speech. Frames may be heard that the walk hears anew. */
  async detectLanguage(windows = LANGUAGE_WINDOWS): Promise<LanguageProbs> {
    const speech = new SpeechWindows(this.tools.detector, this.sound);
    const vote = new LanguageVote();
    for (let i = 0; i < windows; ++i) {
      const begin = await speech.next();
      if (begin === null) break;
      await this.hear(begin);
      if (begin + WINDOW_FRAMES <= this.logMel.contentFrames) {
        await this.encode({ seek: begin, segmentSize: WINDOW_FRAMES });
      } else {
        await this.decoder.encode(await this.logMel.window(begin));
        this.encoded = null;
      }
      if (vote.decides(await this.decoder.languageProbs())) break;
    }
    return vote.probs;
  }

  private async walk(): Promise<void> {
    const end = this.logMel.contentFrames;
    for (let seek = 0; seek < end; ) {
      await this.hear(seek);
      seek = await this.nextSound(seek);
      await this.hear(seek);
      if (seek >= end || (await this.isEmptyRest(seek, end))) break;
      const place = { seek, segmentSize: Math.min(WINDOW_FRAMES, end - seek) };
      const next = await this.transcribeWindow(place);
      // Whatever the model says, the walk goes on.
      seek = next > seek ? next : seek + place.segmentSize;
      this.tellProgress(seek);
    }
    this.tellProgress(end);
  }

  /** Hears the window at `seek`, what it takes to get there, and what lies ahead. */
  private async hear(seek: number): Promise<void> {
    for (;;) {
      const step = Math.min(seek, this.logMel.heard);
      this.look(step); // before it is forgotten
      await this.logMel.hear(step);
      this.look(step + 2 * WINDOW_FRAMES);
      if (step >= seek || step >= this.logMel.contentFrames) return;
      await this.pause();
    }
  }

  private look(until: number): void {
    this.audible.look(Math.min(until, this.logMel.heard));
  }

  private async pause(): Promise<void> {
    await events();
    this.callbacks.check();
  }

  /** Where the window begins: long silence before its sound is left out. */
  private async nextSound(seek: number): Promise<number> {
    const end = this.logMel.contentFrames;
    for (;;) {
      const span = this.audible.found.find((one) => one.end > seek / FRAMES_PER_SECOND);
      if (span !== undefined) {
        const sound = frameAt(span.begin);
        return sound - seek < LONG_SILENCE ? seek : sound - LEAD_IN;
      }
      // Silence as far as it was looked at.
      const { lookedAt } = this.audible;
      if (lookedAt >= end) return Math.max(seek, end);
      this.tellProgress(lookedAt);
      await this.hear(lookedAt);
      await this.pause();
    }
  }

  /**
   * Whether nobody speaks in the little that is left after other windows: the model would make up a
   * farewell.
   */
  private async isEmptyRest(seek: number, end: number): Promise<boolean> {
    if (seek === 0 || end - seek >= SHORT_REST) return false;
    const begin = Math.max(0, seek - BEFORE_REST);
    const rest = samplesOf(this.sound, begin * HOP_LENGTH, end * HOP_LENGTH);
    const probs = await speechProbs(this.tools.detector, rest);
    const first = Math.floor(((seek - begin) * HOP_LENGTH) / VAD_CHUNK);
    return probs.subarray(first).every((prob) => prob < MAYBE_SPEECH);
  }

  private async encode(place: WindowPlace): Promise<void> {
    const { encoded } = this;
    if (encoded?.seek === place.seek && encoded.segmentSize === place.segmentSize) return;
    await this.decoder.encode(await this.logMel.paddedWindow(place.seek, place.segmentSize));
    this.encoded = place;
    await this.pause();
  }

  /** Gives the frame at which the next window begins. */
  private async transcribeWindow(place: WindowPlace): Promise<number> {
    const after = place.seek + place.segmentSize;
    // The model would make up a word or two.
    if (this.logMel.isSilent(place.seek, place.segmentSize)) return after;
    await this.encode(place);
    const result = await this.decode(place);
    if (this.isSilence(result)) return after;
    const { model, tokenizer } = this.tools;
    const window = splitSegments(result, place, this.language, tokenizer, model.info.config);
    this.keep(endWithWindow(window.segments, place));
    if (!this.options.conditionOnPreviousText || result.temperature > PROMPT_RESET_ON_TEMPERATURE) {
      this.resetSince = this.history.length;
    }
    return window.nextSeek;
  }

  /** Tries the temperatures until a result passes (transcribe.py: decode_with_fallback). */
  private async decode(place: WindowPlace): Promise<DecodingResult> {
    const { options } = this;
    const room = promptRoom(this.tools.model.info.config);
    const prompt = this.history.slice(this.resetSince).slice(-room);
    for (let i = 0; ; ++i) {
      const temperature = options.temperatures[i]!;
      const begin = performance.now();
      const before = this.decodingSeconds;
      const result = await this.decoder.decode(
        // Every attempt has random numbers of its own, the same in every run.
        { language: this.language, prompt, temperature, seed: BigInt(place.seek * 101 + i) },
        async (sampled) => {
          ++this.tokens;
          this.decodingSeconds = before + (performance.now() - begin) / 1000;
          this.tellProgress(place.seek, sampled);
          await this.pause();
        },
      );
      const { compressionRatioThreshold, logprobThreshold, noSpeechThreshold } = options;
      const isRepetitive =
        compressionRatioThreshold !== null && result.compressionRatio > compressionRatioThreshold;
      const isUnsure = logprobThreshold !== null && result.avgLogprob < logprobThreshold;
      const isSilent = noSpeechThreshold !== null && result.noSpeechProb > noSpeechThreshold && isUnsure;
      const passes = isSilent || (!isRepetitive && !isUnsure);
      if (passes || i + 1 === options.temperatures.length) return result;
    }
  }

  /** A window that gives nothing. */
  private isSilence(result: DecodingResult): boolean {
    const { noSpeechThreshold, logprobThreshold } = this.options;
    if (noSpeechThreshold === null || !(result.noSpeechProb > noSpeechThreshold)) return false;
    return logprobThreshold === null || result.avgLogprob <= logprobThreshold;
  }

  private keep(segments: readonly Segment[]): void {
    for (const segment of segments) {
      if (!saysSomething(segment)) continue;
      const placed = putInOrder(segment, this.limitsOf(segment), this.lastEnd);
      if (placed === null) continue;
      this.lastEnd = placed.end;
      placed.id = this.segments.length;
      this.history.push(...placed.tokens);
      this.segments.push(placed);
      this.callbacks.onSegment(placed);
    }
  }

  private limitsOf(segment: Segment): SoundSpan {
    const main = this.audible.main(segment.start, segment.end);
    if (main && main.begin < segment.end && segment.start < main.end) return main;
    return { begin: 0, end: this.logMel.contentFrames / FRAMES_PER_SECOND };
  }

  private tellProgress(frame: number, sampled: readonly number[] = []): void {
    const { config } = this.tools.model.info;
    this.done = Math.max(this.done, Math.min(frame, this.logMel.contentFrames));
    this.callbacks.onProgress({
      done: this.done / FRAMES_PER_SECOND,
      total: this.sound.length / SAMPLE_RATE,
      tokens: this.tokens,
      decodingSeconds: this.decodingSeconds,
      tentative: this.tools.tokenizer.decode(textTokens(sampled, config)),
    });
  }
}
