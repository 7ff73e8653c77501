// From the tokens of a window to segments, and to where the next window begins (openai/whisper
// transcribe.py; src/transcribe/segments.cc).
import {
  FRAMES_PER_POSITION,
  FRAMES_PER_SECOND,
  TIME_PRECISION,
  roundHalfEven,
} from './front_end.js';
import { type ModelConfig, timestampBegin } from './model_info.js';
import { type Tokenizer, stripped } from './tokenizer.js';
import type { DecodingResult } from './window_decoder.js';

/** A piece of the transcript. */
export interface Segment {
  /** Number in the transcript, from 0. */
  id: number;
  /** Seconds of the recording. */
  start: number;
  end: number;
  text: string;
  /** Code of the language. */
  language: string;
  /** Of the text, with timestamps. */
  tokens: number[];
  /** That the window was decoded with. */
  temperature: number;
  /** Log-prob per token of the window. */
  avgLogprob: number;
  /** Bytes of the window's text / bytes of its zlib form. */
  compressionRatio: number;
  /** Probability that nobody speaks in the window; NaN where the model does not tell. */
  noSpeechProb: number;
}

/** The part of the recording that a window shows, in frames of 10 ms. */
export interface WindowPlace {
  seek: number;
  /** Frames of the recording; the rest of the 3000 is padding. */
  segmentSize: number;
}

/** The frame that begins at `seconds`. */
export function frameAt(seconds: number): number {
  return roundHalfEven(seconds * FRAMES_PER_SECOND);
}

/** The tokens that are text. */
export function textTokens(tokens: readonly number[], config: ModelConfig): number[] {
  return tokens.filter((token) => token < config.eos_token_id);
}

/**
 * Cuts a window's tokens where two timestamps meet; without such a place the window is one segment.
 * Gives the segments and the frame at which the next window begins.
 */
export function splitSegments(
  result: DecodingResult,
  place: WindowPlace,
  language: string,
  tokenizer: Tokenizer,
  config: ModelConfig,
): { segments: Segment[]; nextSeek: number } {
  const { tokens } = result;
  const begin = timestampBegin(config);
  const isTimestamp = (i: number) => i >= 0 && tokens[i]! >= begin;
  const seconds = (i: number) => (tokens[i]! - begin) * TIME_PRECISION;
  const offset = place.seek / FRAMES_PER_SECOND;
  const duration = place.segmentSize / FRAMES_PER_SECOND;
  const count = tokens.length;

  const segment = (start: number, end: number, first: number, last: number): Segment => ({
    id: -1, // when it is kept
    start: offset + start,
    end: offset + end,
    text: tokenizer.decode(textTokens(tokens.slice(first, last), config)),
    language,
    tokens: tokens.slice(first, last),
    temperature: result.temperature,
    avgLogprob: result.avgLogprob,
    compressionRatio: result.compressionRatio,
    noSpeechProb: result.noSpeechProb,
  });

  const cuts: number[] = [];
  for (let i = 1; i < count; ++i) {
    if (isTimestamp(i - 1) && isTimestamp(i)) cuts.push(i);
  }
  let nextSeek = place.seek + place.segmentSize;
  if (cuts.length === 0) {
    let last = count - 1;
    while (last >= 0 && !isTimestamp(last)) --last;
    const end = last >= 0 && tokens[last] !== begin ? seconds(last) : duration;
    return { segments: [segment(0, end, 0, count)], nextSeek };
  }

  const singleTimestampEnding = count >= 2 && !isTimestamp(count - 2) && isTimestamp(count - 1);
  if (singleTimestampEnding) {
    cuts.push(count);
  } else {
    nextSeek = place.seek + (tokens[cuts.at(-1)! - 1]! - begin) * FRAMES_PER_POSITION;
  }
  const segments = cuts.map((end, i) => {
    const first = i === 0 ? 0 : cuts[i - 1]!;
    const last = isTimestamp(end - 1) ? seconds(end - 1) : duration;
    return segment(seconds(first), last, first, end);
  });
  return { segments, nextSeek };
}

/** Whether a segment says anything. */
export function saysSomething(segment: Segment): boolean {
  return segment.start !== segment.end && stripped(segment.text) !== '';
}

/** Ends segments at the window's end; what begins there or later was made up and goes. */
export function endWithWindow(segments: readonly Segment[], place: WindowPlace): Segment[] {
  const end = (place.seek + place.segmentSize) / FRAMES_PER_SECOND;
  return segments
    .filter((segment) => segment.start < end)
    .map((segment) => ({ ...segment, end: Math.min(segment.end, end) }));
}

/** Seconds [begin, end). */
export interface SoundSpan {
  begin: number;
  end: number;
}

/**
 * Puts a segment within `limits` and not before `earliest`, of some length. Null when there is no
 * room for it: the model gave it no time.
 */
export function putInOrder(segment: Segment, limits: SoundSpan, earliest: number): Segment | null {
  const low = Math.max(limits.begin, earliest);
  if (limits.end - low < TIME_PRECISION) return null;
  const start = Math.min(Math.max(segment.start, low), limits.end - TIME_PRECISION);
  const end = Math.min(Math.max(segment.end, start + TIME_PRECISION), limits.end);
  return { ...segment, start, end };
}
