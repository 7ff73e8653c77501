// Whether a model computes the same in two places.
import type { DecoderModel } from './decoder_model.js';
import { WINDOW_FRAMES } from './front_end.js';

/** What may differ, as a share of how far the logits are spread: formats of less precision do. */
const TOLERANCE = 0.1;

/** The logits of the first token after a window of silence. */
export async function logitsOfSilence(model: DecoderModel): Promise<Float32Array> {
  const { config } = model.info;
  // What silence is in the normalised log-mel domain.
  await model.encode(new Float32Array(config.num_mel_bins * WINDOW_FRAMES).fill(-1.5));
  return model.decode([config.decoder_start_token_id], 0);
}

/**
 * Whether two rows of logits are the same but for rounding. What all logits have more in one of them
 * changes no probability.
 */
export function isClose(logits: Float32Array, wanted: Float32Array): boolean {
  const mean = (numbers: Float32Array) => numbers.reduce((sum, one) => sum + one, 0) / numbers.length;
  const middle = mean(wanted);
  const common = mean(logits) - middle;
  let error = 0;
  let spread = 0;
  for (let i = 0; i < wanted.length; ++i) {
    error += (logits[i]! - common - wanted[i]!) ** 2;
    spread += (wanted[i]! - middle) ** 2;
  }
  return Math.sqrt(error / spread) < TOLERANCE;
}
