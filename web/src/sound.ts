// A recording as decoding hears it.
import { SAMPLE_RATE } from './front_end.js';

/** How far ahead of a window a recording is heard, so that its loudness is known. */
export const LOOK_AHEAD = 300 * SAMPLE_RATE;

/** Samples [begin, end); zeros before and after the recording. */
export function samplesOf(sound: Float32Array, begin: number, end: number): Float32Array {
  const result = new Float32Array(end - begin);
  const from = Math.max(begin, 0);
  const to = Math.min(end, sound.length);
  if (from < to) result.set(sound.subarray(from, to), from - begin);
  return result;
}

/** One after the other. */
export function joined(pieces: readonly Float32Array[]): Float32Array<ArrayBuffer> {
  const result = new Float32Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    result.set(piece, at);
    at += piece.length;
  }
  return result;
}
