import type { ModelInfo } from './model_info.js';

/**
 * All that decoding knows of a model, whose decoder attends to one encoded 30 s window at a time.
 * LiteRtModel implements it; tests implement it with scripts.
 */
export interface DecoderModel {
  readonly info: ModelInfo;

  /** Log-mel of exactly 480000 samples (30 s, 16 kHz, mono) -> logmel [num_mel_bins, 3000]. */
  features(normalizedAudio: Float32Array): Promise<Float32Array>;

  /** Encodes logmel [num_mel_bins, 3000] and makes it what the decoder attends to from now on. */
  encode(inputFeatures: Float32Array): Promise<void>;

  /**
   * Feeds `tokens` at positions position, position + 1, … on the keys and values of the positions
   * before, which must have been fed. Gives the logits [vocab_size] that follow the last token; they
   * are the caller's. Going back to an earlier position overwrites what was after it.
   */
  decode(tokens: readonly number[], position: number): Promise<Float32Array>;
}
