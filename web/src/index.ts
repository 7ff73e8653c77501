/**
 * OpenAI Whisper in the browser, on LiteRT.js.
 *
 *     import { Whisper } from 'whisper-s4y';
 *
 *     const whisper = await Whisper.load('/models/whisper-base.tflite');
 *     for await (const segment of whisper.transcribe(file, { language: 'en' })) {
 *       console.log(segment.start, segment.text);
 *     }
 *
 * @packageDocumentation
 */
export type { Accelerator } from './accelerator.js';
export { type AudioInput, decodeAudio } from './audio.js';
export { WhisperError, type WhisperErrorCode } from './errors.js';
export type { LiveOptions, LiveText } from './live.js';
export type { LoadOptions } from './load_options.js';
export type { LoadProgress } from './messages.js';
export type { TranscribeOptions } from './options.js';
export type { Segment } from './segments.js';
export type { VadOptions } from './speech_tracker.js';
export { type Cue, toSrt, toVtt } from './subtitles.js';
export type { TranscribeProgress, Transcript } from './transcript.js';
export {
  type ListenRequest,
  type Listening,
  type TranscribeRequest,
  type Transcription,
  Whisper,
} from './whisper.js';
