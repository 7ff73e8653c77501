import type { Segment } from './segments.js';

/** A recording's text. */
export interface Transcript {
  text: string;
  segments: Segment[];
  /** Code of the language, given or detected. */
  language: string;
  /** How sure that is: 1 of one that was given. */
  languageProbability: number;
  /** Seconds of the recording. */
  duration: number;
  /** Tokens that were chosen, those of attempts that failed included. */
  tokens: number;
}

/** How far the work is. */
export interface TranscribeProgress {
  /** Seconds of the recording that are done. */
  done: number;
  /** Seconds of the recording. */
  total: number;
  /** Tokens chosen up to now. */
  tokens: number;
  /** Seconds that it took to choose them, without the encoder. */
  decodingSeconds: number;
  /** Text of the window that is being decoded, which may still change. */
  tentative: string;
}
