// The few vector operations that decoding needs on one row of logits.

/**
 * Value of a logit that must not be chosen: finite, because a row of -Infinity turns into NaN in a
 * softmax, and so low that its probability is 0.
 */
export const MASKED_LOGIT = -1e9;

/** Largest value; MASKED_LOGIT when empty. */
export function maxLogit(logits: Float32Array): number {
  let max = MASKED_LOGIT;
  for (let i = 0; i < logits.length; ++i) {
    if (logits[i]! > max) max = logits[i]!;
  }
  return max;
}

/** Index of the largest value, the first one among equals; 0 when empty. */
export function argmax(logits: Float32Array): number {
  let best = 0;
  for (let i = 1; i < logits.length; ++i) {
    if (logits[i]! > logits[best]!) best = i;
  }
  return best;
}

/** log(sum(exp(logits))); MASKED_LOGIT when empty. */
export function logSumExp(logits: Float32Array): number {
  if (logits.length === 0) return MASKED_LOGIT;
  const max = maxLogit(logits);
  let sum = 0;
  for (let i = 0; i < logits.length; ++i) {
    const below = logits[i]! - max;
    // Less than a float's precision even if every logit were so.
    if (below > -30) sum += Math.exp(below);
  }
  return max + Math.log(sum);
}

/** softmax(logits)[id] */
export function softmaxAt(logits: Float32Array, id: number): number {
  return Math.exp(logits[id]! - logSumExp(logits));
}
