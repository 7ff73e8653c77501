// A model that says a given row of tokens for each window, and notes what it was fed
// (tests/transcribe/scripted_recording.h).
import type { DecoderModel } from '../src/decoder_model.js';
import { WINDOW_FRAMES } from '../src/front_end.js';
import type { ModelConfig, ModelInfo, Vocabulary } from '../src/model_info.js';
import { type SpeechDetector, VAD_CHUNK } from '../src/speech_detector.js';

export const EOT = 40;
export const SOT = 41;
export const ENGLISH = 42;
export const GERMAN = 43;
export const TRANSLATE = 44;
export const TRANSCRIBE = 45;
export const SOT_PREV = 47;
export const NO_SPEECH = 48;
export const NO_TIMESTAMPS = 49;
export const BLANK = 0;
const VOCAB_SIZE = NO_TIMESTAMPS + 1 + 1501;

/** The token of `<|seconds|>`. */
export const at = (seconds: number) => NO_TIMESTAMPS + 1 + Math.round(seconds * 50);
/** The token of " a" … " z". */
export const word = (letter: string) => 1 + letter.charCodeAt(0) - 97;
/** The letter's word from one time to the other. */
export const sentence = (start: number, letter: string, end: number) => [at(start), word(letter), at(end)];

export function toyInfo(isMultilingual = true): ModelInfo {
  const config: ModelConfig = {
    vocab_size: VOCAB_SIZE,
    num_mel_bins: 2,
    d_model: 4,
    decoder_layers: 1,
    decoder_attention_heads: 1,
    max_source_positions: 1500,
    max_target_positions: 448,
    is_multilingual: isMultilingual,
    eos_token_id: EOT,
    decoder_start_token_id: SOT,
    translate_token_id: TRANSLATE,
    transcribe_token_id: TRANSCRIBE,
    sot_lm_token_id: 46,
    prev_sot_token_id: SOT_PREV,
    no_speech_token_id: NO_SPEECH,
    no_timestamps_token_id: NO_TIMESTAMPS,
    languages: new Map([
      ['en', ENGLISH],
      ['de', GERMAN],
    ]),
  };
  const bytes = (text: string) => new TextEncoder().encode(text);
  const vocabulary: Vocabulary = { tokens: [], special: [] };
  for (let id = 0; id <= NO_TIMESTAMPS; ++id) {
    const isWord = id >= 1 && id <= 26;
    vocabulary.tokens.push(bytes(id === BLANK ? ' ' : isWord ? ` ${String.fromCharCode(96 + id)}` : `<|${id}|>`));
    vocabulary.special.push(id >= EOT);
  }
  return { name: 'toy', hash: '', config, vocabulary, signatures: [] };
}

/** What is said in one window. */
export interface WindowScript {
  /** Tokens of the text, by attempt (the last one again for more). */
  attempts: number[][];
  /** Above 0: silence gets likely. */
  noSpeechLogit?: number;
  /** Logit of the tokens said; small numbers are unsure. */
  sureness?: number;
  language?: number;
  /** Logit of that. */
  languageSureness?: number;
}

/** Speaks the script of the n-th window after the n-th encode(). */
export class ScriptedModel implements DecoderModel {
  readonly info: ModelInfo;
  windows = 0; // encoded so far
  /** Start tokens of each window, from 1. */
  readonly prompts = new Map<number, number[]>();
  private attempt = 0;
  private fed: number[] = [];

  constructor(
    private readonly script: WindowScript[],
    isMultilingual = true,
  ) {
    this.info = toyInfo(isMultilingual);
  }

  async features(audio: Float32Array): Promise<Float32Array> {
    // As loud as the sample in the middle of each frame; a little, so that it is no silence.
    const row = Float32Array.from({ length: WINDOW_FRAMES }, (_, i) => (audio[i * 160 + 80] === -1 ? -1.5 : 0));
    const logmel = new Float32Array(2 * WINDOW_FRAMES);
    logmel.set(row);
    logmel.set(row, WINDOW_FRAMES);
    return logmel;
  }

  async encode(): Promise<void> {
    ++this.windows;
    this.attempt = 0;
    this.fed = [];
  }

  async decode(tokens: readonly number[], position: number): Promise<Float32Array> {
    // Going back behind text that was said begins it anew.
    if (position < this.fed.length && this.fed.length > this.textBegin()) ++this.attempt;
    this.fed = [...this.fed.slice(0, position), ...tokens];
    this.prompts.set(this.windows, this.fed.slice(0, this.textBegin()));
    return this.logits();
  }

  private textBegin(): number {
    const begin = this.fed.indexOf(SOT) + (this.info.config.is_multilingual ? 3 : 1);
    return this.fed[begin] === NO_TIMESTAMPS ? begin + 1 : begin;
  }

  private logits(): Float32Array {
    const row = new Float32Array(VOCAB_SIZE);
    const window = this.script[this.windows - 1];
    if (!window) {
      row[EOT] = 20;
      return row;
    }
    const { sureness = 20, language = ENGLISH, languageSureness = 9, noSpeechLogit = 0 } = window;
    if (this.fed.at(-1) === SOT) {
      row[NO_SPEECH] = noSpeechLogit;
      if (this.info.config.is_multilingual) row[language] = languageSureness;
      else row[this.said(window, 0)] = sureness;
      return row;
    }
    row[this.said(window, this.fed.length - this.textBegin())] = sureness;
    return row;
  }

  private said({ attempts }: WindowScript, index: number): number {
    return attempts[Math.min(this.attempt, attempts.length - 1)]![index] ?? EOT;
  }
}

/** Takes a sample of 1 for speech. */
export class LoudDetector implements SpeechDetector {
  reset(): void {}
  async hear(chunks: Float32Array): Promise<Float32Array> {
    return Float32Array.from({ length: chunks.length / VAD_CHUNK }, (_, i) =>
      chunks[i * VAD_CHUNK]! > 0.5 ? 0.9 : 0,
    );
  }
}
