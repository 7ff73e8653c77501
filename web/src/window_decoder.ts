// Decodes one 30 s window: prompt, rules, search (openai/whisper decoding.py;
// src/decoding/window_decoder.cc).
import { compressionRatio } from './compression_ratio.js';
import type { DecoderModel } from './decoder_model.js';
import { TIME_PRECISION, roundHalfEven } from './front_end.js';
import { logSumExp, softmaxAt } from './logit_math.js';
import type { LogitRules } from './logit_rules.js';
import type { ModelConfig } from './model_info.js';
import type { CheckedOptions } from './options.js';
import { Random } from './random.js';
import { type Search, type SearchStart, bestHypothesis, greedySearch, sample } from './search.js';
import { type Tokenizer, stripped } from './tokenizer.js';

/** Language code and probability, in the order of the language tokens. */
export type LanguageProbs = [code: string, probability: number][];

/** One decoded window. */
export interface DecodingResult {
  /** Sampled tokens with timestamps, without `<|endoftext|>`. */
  tokens: number[];
  /** Log-prob per token, end included. */
  avgLogprob: number;
  /** Of `<|nospeech|>` at the start; NaN where the model has no such token. */
  noSpeechProb: number;
  temperature: number;
  compressionRatio: number;
}

/** What a window is decoded after, and how. */
export interface WindowContext {
  language: string;
  /** Tokens of the text before; the last 223 are used. */
  prompt: readonly number[];
  temperature: number;
  seed: bigint;
}

/** The likeliest language; the first one among equals. */
export function mostLikely(probs: LanguageProbs): [code: string, probability: number] {
  return probs.reduce((best, one) => (one[1] > best[1] ? one : best));
}

function languageProbsOf(logits: Float32Array, config: ModelConfig): LanguageProbs {
  const scores = Float32Array.from(config.languages.values(), (token) => logits[token]!);
  const normaliser = logSumExp(scores);
  return [...config.languages.keys()].map((code, i) => [code, Math.exp(scores[i]! - normaliser)]);
}

function rulesOf(options: CheckedOptions, tokenizer: Tokenizer, config: ModelConfig): LogitRules {
  const special = [
    config.transcribe_token_id,
    config.translate_token_id,
    config.decoder_start_token_id,
    config.prev_sot_token_id,
    config.sot_lm_token_id,
    config.no_speech_token_id,
  ];
  const { maxInitialTimestamp } = options;
  return {
    config,
    blankTokens: [tokenizer.blank, config.eos_token_id],
    suppressedTokens: [...tokenizer.nonSpeechTokens, ...special.filter((token) => token >= 0)],
    timestamps: options.timestamps,
    // The reference takes 0 for "no limit" as well (a truth test).
    maxInitialIndex: maxInitialTimestamp ? roundHalfEven(maxInitialTimestamp / TIME_PRECISION) : null,
  };
}

/** Decodes a window several times, as fallback does, feeding prompt and start tokens only once. */
export class WindowDecoder {
  private readonly config: ModelConfig;
  private readonly rules: LogitRules;
  private probs: LanguageProbs | null = null;
  private fed: number[] = []; // start tokens whose state the model holds
  private start: SearchStart = { logits: new Float32Array(), position: 0 }; // after them
  private noSpeechProb = NaN; // at their <|startoftranscript|>

  constructor(
    private readonly model: DecoderModel,
    private readonly tokenizer: Tokenizer,
    private readonly options: CheckedOptions,
  ) {
    this.config = model.info.config;
    this.rules = rulesOf(options, tokenizer, this.config);
  }

  /** Makes logmel [num_mel_bins, 3000] the window to decode. */
  async encode(inputFeatures: Float32Array): Promise<void> {
    await this.model.encode(inputFeatures);
    this.probs = null;
    this.fed = [];
  }

  /** Probability of every language for this window (decoding.py: detect_language). */
  async languageProbs(): Promise<LanguageProbs> {
    if (this.probs === null) {
      await this.feed([this.config.decoder_start_token_id], 0);
      this.probs = languageProbsOf(this.start.logits, this.config);
    }
    return this.probs;
  }

  async decode(context: WindowContext, onToken: Search['onToken']): Promise<DecodingResult> {
    const { tokens, sotIndex } = this.startTokens(context);
    await this.feed(tokens, sotIndex);
    const { model, start, rules } = this;
    const limits = {
      maxTokens: this.options.maxTokens,
      maxLength: this.config.max_target_positions,
      eot: this.config.eos_token_id,
    };
    const search: Search = { model, start, rules, limits, onToken };
    const { temperature } = context;
    const best =
      temperature > 0
        ? bestHypothesis(await sample(search, temperature, this.options.bestOf, new Random(context.seed)))
        : await greedySearch(search);
    return {
      tokens: best.tokens,
      avgLogprob: best.sumLogprob / (best.tokens.length + 1),
      noSpeechProb: this.noSpeechProb,
      temperature,
      compressionRatio: await compressionRatio(stripped(this.tokenizer.decode(best.tokens))),
    };
  }

  /** decoding.py: DecodingTask._get_initial_tokens */
  private startTokens({ language, prompt }: WindowContext): { tokens: number[]; sotIndex: number } {
    const { config, options } = this;
    const tokens: number[] = [];
    if (prompt.length > 0) {
      tokens.push(config.prev_sot_token_id, ...prompt.slice(-promptRoom(config)));
    }
    const sotIndex = tokens.length;
    tokens.push(config.decoder_start_token_id);
    if (config.is_multilingual) {
      tokens.push(config.languages.get(language)!);
      tokens.push(options.task === 'translate' ? config.translate_token_id : config.transcribe_token_id);
    }
    if (!options.timestamps) tokens.push(config.no_timestamps_token_id);
    return { tokens, sotIndex };
  }

  private async feed(tokens: number[], sotIndex: number): Promise<void> {
    if (tokens.length === this.fed.length && tokens.every((token, i) => token === this.fed[i])) return;
    // What both rows begin with stays; the last token is fed again for its logits.
    let begin = 0;
    while (begin < tokens.length - 1 && tokens[begin] === this.fed[begin]) ++begin;
    this.fed = []; // until all went well
    let logits = this.start.logits;
    if (begin <= sotIndex) {
      logits = await this.model.decode(tokens.slice(begin, sotIndex + 1), begin);
      begin = sotIndex + 1;
      const noSpeech = this.config.no_speech_token_id;
      this.noSpeechProb = noSpeech >= 0 ? softmaxAt(logits, noSpeech) : NaN;
    }
    if (begin < tokens.length) logits = await this.model.decode(tokens.slice(begin), begin);
    this.start = { logits, position: tokens.length };
    this.fed = tokens;
  }
}

/** Tokens that may stand before a window: half the context, less one for `<|startofprev|>`. */
export function promptRoom(config: ModelConfig): number {
  return config.max_target_positions / 2 - 1;
}
