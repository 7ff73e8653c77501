import { check } from './errors.js';
import type { ModelConfig } from './model_info.js';

/** How a recording is transcribed. Names and defaults follow openai/whisper's transcribe(). */
export interface TranscribeOptions {
  /** `'transcribe'` (default), or `'translate'`: into English. */
  task?: 'transcribe' | 'translate';
  /** Code of the spoken language, `'en'`; without it, or `'auto'`: detect it. */
  language?: string;
  /** `false`: text alone, one segment for 30 s. Default `true`. */
  timestamps?: boolean;
  /** The text so far is the prompt of the next window. Default `true`. */
  conditionOnPreviousText?: boolean;
  /** Tried until one passes. Default 0, 0.2, 0.4, 0.6, 0.8, 1. */
  temperatures?: readonly number[];
  /** Samples at temperatures above 0. Default 5. */
  bestOf?: number;
  /** Above: repetitive, try the next temperature; `null`: off. Default 2.4. */
  compressionRatioThreshold?: number | null;
  /** Below: unsure, try the next temperature; `null`: off. Default -1. */
  logprobThreshold?: number | null;
  /** Above, and unsure: silence; `null`: off. Default 0.6. */
  noSpeechThreshold?: number | null;
  /** Seconds that a window's first timestamp is at most; `null`: no limit. Default 1. */
  maxInitialTimestamp?: number | null;
  /** Most tokens in a window. Default half of the context, 224. */
  maxTokens?: number;
}

/** The same with nothing left out; `language` is `''` where it is to be detected. */
export type CheckedOptions = Required<Omit<TranscribeOptions, 'maxTokens'>> & { maxTokens: number };

/** Fills in defaults. Throws WhisperError when an option is impossible, or not for this model. */
export function checkedOptions(options: TranscribeOptions, config: ModelConfig): CheckedOptions {
  const checked: CheckedOptions = {
    task: options.task ?? 'transcribe',
    language: options.language === 'auto' ? '' : (options.language ?? ''),
    timestamps: options.timestamps ?? true,
    conditionOnPreviousText: options.conditionOnPreviousText ?? true,
    temperatures: options.temperatures ?? [0, 0.2, 0.4, 0.6, 0.8, 1],
    bestOf: options.bestOf ?? 5,
    compressionRatioThreshold: withDefault(options.compressionRatioThreshold, 2.4),
    logprobThreshold: withDefault(options.logprobThreshold, -1),
    noSpeechThreshold: withDefault(options.noSpeechThreshold, 0.6),
    maxInitialTimestamp: withDefault(options.maxInitialTimestamp, 1),
    maxTokens: options.maxTokens ?? Math.floor(config.max_target_positions / 2),
  };
  const { task, language, temperatures, bestOf, maxTokens } = checked;
  check(task === 'transcribe' || task === 'translate', `task is "${task}", expected "transcribe" or "translate".`);
  check(typeof language === 'string', `language is ${language}, expected a code such as "en".`);
  for (const name of ['timestamps', 'conditionOnPreviousText'] as const) {
    check(typeof checked[name] === 'boolean', `${name} is ${checked[name]}, expected true or false.`);
  }
  for (const name of ['compressionRatioThreshold', 'logprobThreshold', 'noSpeechThreshold'] as const) {
    const value = checked[name];
    check(value === null || Number.isFinite(value), `${name} is ${value}, expected a number or null.`);
  }
  const { maxInitialTimestamp } = checked;
  check(
    maxInitialTimestamp === null || (Number.isFinite(maxInitialTimestamp) && maxInitialTimestamp >= 0),
    `maxInitialTimestamp is ${maxInitialTimestamp}, expected a number from 0 on or null.`,
  );
  check(
    Array.isArray(temperatures) && temperatures.length > 0 && temperatures.every((one) => Number.isFinite(one) && one >= 0),
    'temperatures are to be one or more numbers from 0 on.',
  );
  check(Number.isInteger(bestOf) && bestOf >= 1, `bestOf is ${bestOf}, expected a whole number from 1 on.`);
  check(
    Number.isInteger(maxTokens) && maxTokens >= 1,
    `maxTokens is ${maxTokens}, expected a whole number from 1 on.`,
  );
  if (!config.is_multilingual) {
    check(task !== 'translate', 'An English-only model cannot translate; use a multilingual one.');
    check(
      language === '' || language === 'en',
      `An English-only model cannot transcribe the language "${language}".`,
    );
    checked.language = 'en';
  } else {
    check(
      language === '' || config.languages.has(language),
      `The model does not know the language "${language}".`,
    );
  }
  return checked;
}

function withDefault(value: number | null | undefined, byDefault: number): number | null {
  return value === undefined ? byDefault : value;
}
