// What is the same in every Whisper: the numbers of the front end, and how a window is counted.
// Source: openai/whisper audio.py, model.py and tokenizer.py; src/config/front_end.h.

/** Samples a second; all sound is mono. */
export const SAMPLE_RATE = 16000;
/** Samples that a frame looks at. */
export const FFT_SIZE = 400;
/** Samples from one frame to the next. */
export const HOP_LENGTH = 160;
export const WINDOW_SAMPLES = 30 * SAMPLE_RATE;
export const WINDOW_FRAMES = WINDOW_SAMPLES / HOP_LENGTH;
export const FRAMES_PER_SECOND = SAMPLE_RATE / HOP_LENGTH;
/** The stride of the encoder's second convolution. */
export const FRAMES_PER_POSITION = 2;
/** Seconds of a position, and of a timestamp token. */
export const TIME_PRECISION = 0.02;
/** `<|0.00|>` … `<|30.00|>` */
export const TIMESTAMP_TOKENS = WINDOW_FRAMES / FRAMES_PER_POSITION + 1;

/** Rounds as Python and C's nearbyint() do: halves go to the even neighbour. */
export function roundHalfEven(value: number): number {
  const rounded = Math.round(value);
  return rounded - value === 0.5 && rounded % 2 !== 0 ? rounded - 1 : rounded;
}
