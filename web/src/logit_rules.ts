// Which tokens may come next. Every rule changes one row of logits in place. The same rules as
// src/decoding/logit_rules.cc.
import { TIMESTAMP_TOKENS } from './front_end.js';
import { MASKED_LOGIT, logSumExp, maxLogit } from './logit_math.js';
import { type ModelConfig, timestampBegin } from './model_info.js';

/** Masks `tokens` (openai/whisper decoding.py: SuppressTokens). */
export function suppressTokens(logits: Float32Array, tokens: readonly number[]): void {
  for (const token of tokens) logits[token] = MASKED_LOGIT;
}

/**
 * Timestamps come in pairs, never go back, begin the window, and are taken when all of them together
 * are likelier than any text token (decoding.py: ApplyTimestampRules). `sampled` are the tokens of
 * this window sampled so far; the first timestamp is at most `maxInitialIndex` (null: no limit).
 */
export function applyTimestampRules(
  logits: Float32Array,
  sampled: readonly number[],
  config: ModelConfig,
  maxInitialIndex: number | null,
): void {
  const begin = timestampBegin(config);
  const isTimestamp = (token: number) => token >= begin;
  const mask = (from: number, to: number) => logits.fill(MASKED_LOGIT, from, to);

  // <|notimestamps|> is for text without times.
  logits[config.no_timestamps_token_id] = MASKED_LOGIT;
  // Fine-tuned checkpoints may have rows after <|30.00|>; they are no times.
  mask(begin + TIMESTAMP_TOKENS, logits.length);

  const count = sampled.length;
  const lastWasTimestamp = count >= 1 && isTimestamp(sampled[count - 1]!);
  const penultimateWasTimestamp = count < 2 || isTimestamp(sampled[count - 2]!);
  if (lastWasTimestamp) {
    if (penultimateWasTimestamp) mask(begin, logits.length);
    else mask(0, config.eos_token_id);
  }

  const latest = [...sampled].reverse().find(isTimestamp);
  if (latest !== undefined) {
    // The second of a pair may repeat the first; any other timestamp must be later, or a segment
    // without length could be repeated for ever.
    const mayRepeat = lastWasTimestamp && !penultimateWasTimestamp;
    mask(begin, mayRepeat ? latest : latest + 1);
  }

  if (count === 0) {
    mask(0, begin);
    if (maxInitialIndex !== null) mask(begin + maxInitialIndex + 1, logits.length);
  }

  // The reference compares log-probabilities; their common normaliser cancels out.
  if (logSumExp(logits.subarray(begin)) > maxLogit(logits.subarray(0, begin))) mask(0, begin);
}

/** The rules of one window in the order of the reference. */
export interface LogitRules {
  config: ModelConfig;
  /** Masked at the first position (SuppressBlank). */
  blankTokens: readonly number[];
  /** Masked always. */
  suppressedTokens: readonly number[];
  timestamps: boolean;
  /** Times 0.02 s. */
  maxInitialIndex: number | null;
}

/** Changes logits [vocab_size] for the position that follows `sampled`. */
export function applyRules(rules: LogitRules, logits: Float32Array, sampled: readonly number[]): void {
  if (sampled.length === 0) suppressTokens(logits, rules.blankTokens);
  suppressTokens(logits, rules.suppressedTokens);
  if (rules.timestamps) applyTimestampRules(logits, sampled, rules.config, rules.maxInitialIndex);
}
