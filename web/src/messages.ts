// What page and worker say to one another.
import type { Accelerator } from './accelerator.js';
import type { WhisperErrorCode } from './errors.js';
import type { LiveOptions, LiveText } from './live.js';
import type { TranscribeOptions } from './options.js';
import type { Segment } from './segments.js';
import type { TranscribeProgress, Transcript } from './transcript.js';

export interface LoadRequest {
  kind: 'load';
  url: string;
  /** Of the voice activity detector; empty: speech is found by its loudness. */
  vadUrl: string;
  /** Folder of LiteRT.js's files; empty: `litert/` beside the worker. */
  runtimeUrl: string;
  accelerator: Accelerator;
  threads: number | undefined;
  /** Hex digits; empty: the content hash alone is looked at. */
  sha256: string;
}

/** `id` names a piece of work. */
export type Request =
  | LoadRequest
  | { kind: 'transcribe'; id: number; audio: Float32Array; options: TranscribeOptions }
  | { kind: 'listen'; id: number; options: LiveOptions }
  | { kind: 'sound'; id: number; samples: Float32Array }
  | { kind: 'finish'; id: number }
  | { kind: 'cancel'; id: number }
  | { kind: 'memory'; id: number };

/** What is known of a model once it is loaded. */
export interface LoadedModel {
  name: string;
  languages: string[];
  isMultilingual: boolean;
  accelerator: Accelerator;
  threads: number;
  /** Whether nothing was fetched. */
  isFromCache: boolean;
  /** What went wrong without harm. */
  warnings: string[];
}

/** How far loading is. */
export interface LoadProgress {
  stage: 'download' | 'prepare';
  /** Bytes that are there. */
  loaded: number;
  /** Bytes in all; 0: not known. */
  total: number;
}

export type Answer =
  | { kind: 'loading'; progress: LoadProgress }
  | { kind: 'loaded'; model: LoadedModel }
  | { kind: 'failed'; id: number | null; code: WhisperErrorCode; message: string }
  | { kind: 'segment'; id: number; segment: Segment }
  | { kind: 'progress'; id: number; progress: TranscribeProgress }
  | { kind: 'text'; id: number; text: LiveText }
  | { kind: 'memory'; id: number; bytes: number }
  | { kind: 'done'; id: number; transcript: Transcript | null };
