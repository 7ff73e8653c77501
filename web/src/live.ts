// Speech to text while it is spoken (src/transcribe/live.cc).
import { check as checkOption } from './errors.js';
import { SAMPLE_RATE } from './front_end.js';
import { LanguageVote } from './language_vote.js';
import { LocalAgreement } from './local_agreement.js';
import { type Callbacks, LongForm, type Tools } from './long_form.js';
import { type CheckedOptions, type TranscribeOptions, checkedOptions } from './options.js';
import { textTokens } from './segments.js';
import type { SpeechDetector } from './speech_detector.js';
import { joined } from './sound.js';
import { type SpeechEvent, SpeechStream, type VadOptions } from './speech_tracker.js';
import { stripped } from './tokenizer.js';
import { mostLikely } from './window_decoder.js';

/** How speech is transcribed while it is spoken. */
export interface LiveOptions extends TranscribeOptions {
  /** Where utterances begin and end. */
  vad?: VadOptions;
  /** Seconds of new sound until an utterance is transcribed anew. Default 1. */
  updateInterval?: number;
}

/** What is known of an utterance. */
export interface LiveText {
  /** The beginning, which never changes again, only grows. */
  confirmed: string;
  /** What follows it so far. */
  tentative: string;
  /** Of the utterance, seconds from the beginning of the sound. */
  start: number;
  /** Of what was heard of it. */
  end: number;
  /** The utterance is over, and `confirmed` is all of it. */
  isFinal: boolean;
  /** Code of what is spoken; what it is taken for so far. */
  language: string;
}

/** Less sound never settles a language. */
const TELLING_SAMPLES = 2 * SAMPLE_RATE;

/**
 * Cuts sound into utterances by voice activity. While somebody speaks, the utterance so far is
 * transcribed again and again, and what two hypotheses after one another begin with is confirmed
 * (local agreement, arXiv 2005.11185).
 */
export class Live {
  private readonly options: CheckedOptions;
  private readonly interval: number; // samples
  private readonly stream: SpeechStream;
  private samples = new Float32Array(); // since firstSample
  private firstSample = 0;
  private start: number | null = null; // of the utterance; null in silence
  private heardUntil = 0; // end of the last hypothesis
  private agreement = new LocalAgreement();
  private isTold = false; // something of the utterance
  private previous: number[] = []; // tokens of the utterances before
  private hypothesis: number[] = []; // tokens of the last one
  private vote = new LanguageVote(); // of the utterances that are over
  private isSettled = false; // the language is
  private language: string;

  /** `ear` hears nothing else meanwhile; that of `tools` hears single utterances. */
  constructor(
    private readonly tools: Tools,
    ear: SpeechDetector,
    options: LiveOptions,
    private readonly check: () => void,
    private readonly onText: (text: LiveText) => void,
  ) {
    this.options = checkedOptions(options, tools.model.info.config);
    const interval = options.updateInterval ?? 1;
    checkOption(Number.isFinite(interval) && interval >= 0, `updateInterval is ${interval}, expected a number from 0 on.`);
    this.interval = interval * SAMPLE_RATE;
    this.stream = new SpeechStream(ear, options.vad ?? {});
    this.language = this.options.language;
    this.isSettled = this.language !== '';
  }

  /** Hears samples and transcribes what there is to transcribe. */
  async push(samples: Float32Array): Promise<void> {
    this.samples = joined([this.samples, samples]);
    await this.handle(await this.stream.push(samples));
    await this.update();
    this.forget();
  }

  /** The sound is over: ends the utterance. */
  async finish(): Promise<void> {
    await this.handle(await this.stream.finish());
  }

  private async handle(found: readonly SpeechEvent[]): Promise<void> {
    for (const { kind, sample } of found) {
      if (kind === 'start') {
        this.start = this.heardUntil = sample;
        this.agreement = new LocalAgreement();
        this.hypothesis = [];
        this.isTold = false;
      } else if (kind === 'end') {
        this.finishUtterance(sample, await this.transcribe(sample, true));
      } else {
        this.hypothesis = [];
        this.finishUtterance(this.heardUntil, '');
      }
    }
  }

  private async transcribe(end: number, isFinal: boolean): Promise<string> {
    const begin = this.start! - this.firstSample;
    const utterance = this.samples.slice(begin, end - this.firstSample);
    const callbacks: Callbacks = { onSegment: () => {}, onProgress: () => {}, check: this.check };
    const options = { ...this.options };
    // A hypothesis that will be replaced is worth one try.
    if (!isFinal) options.temperatures = options.temperatures.slice(0, 1);
    const longForm = () =>
      new LongForm(
        this.tools,
        utterance,
        { ...options, language: this.language },
        callbacks,
        options.conditionOnPreviousText ? [...this.previous] : [],
      );
    if (!this.isSettled) {
      const vote = this.vote.copy();
      const isSure = vote.decides(await longForm().detectLanguage(1));
      this.isSettled = isSure && utterance.length >= TELLING_SAMPLES;
      this.language = mostLikely(vote.probs)[0];
      if (isFinal) this.vote = vote;
    }
    const { text, segments } = await longForm().run();
    const { config } = this.tools.model.info;
    this.hypothesis = segments.flatMap(({ tokens }) => textTokens(tokens, config));
    return text;
  }

  private finishUtterance(end: number, text: string): void {
    this.agreement.finish(text);
    const isNothing = stripped(this.agreement.confirmed) === '';
    if (!isNothing) this.previous = this.hypothesis;
    const begin = this.start!;
    this.start = null;
    if (!isNothing || this.isTold) this.tell(begin, end, true); // what was told of comes to an end
  }

  private async update(): Promise<void> {
    const end = this.stream.position;
    if (this.start === null || end - this.heardUntil < this.interval) return;
    this.agreement.hear(await this.transcribe(end, false));
    this.heardUntil = end;
    this.tell(this.start, end, false);
  }

  private tell(begin: number, end: number, isFinal: boolean): void {
    this.isTold = true;
    this.onText({
      confirmed: this.agreement.confirmed,
      tentative: this.agreement.tentative,
      start: begin / SAMPLE_RATE,
      end: end / SAMPLE_RATE,
      isFinal,
      language: this.language,
    });
  }

  /** Sound before an utterance is needed as far as the padding goes and two chunks more. */
  private forget(): void {
    const needed = this.start ?? this.stream.position - this.stream.padding - 1024;
    if (needed <= this.firstSample) return;
    this.samples = this.samples.slice(needed - this.firstSample);
    this.firstSample = needed;
  }
}
