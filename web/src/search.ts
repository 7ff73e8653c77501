// How tokens are chosen from logits: the most likely one, or at random (src/decoding/search.cc).
import type { DecoderModel } from './decoder_model.js';
import { MASKED_LOGIT, argmax, logSumExp, maxLogit } from './logit_math.js';
import { type LogitRules, applyRules } from './logit_rules.js';
import type { Random } from './random.js';

/** A window's text in the making. */
export interface Hypothesis {
  /** Sampled tokens, without `<|endoftext|>`. */
  tokens: number[];
  /** Of their log-probs under the filtered logits at temperature 1, that of the end included. */
  sumLogprob: number;
}

/** Where sampling begins: the model has been fed `position` tokens, `logits` follow them. */
export interface SearchStart {
  logits: Float32Array;
  position: number;
}

export interface SearchLimits {
  maxTokens: number;
  /** Stop when start and sampled tokens are more than that. */
  maxLength: number;
  eot: number;
}

/** What hypotheses of one window have in common. */
export interface Search {
  model: DecoderModel;
  start: SearchStart;
  rules: LogitRules;
  limits: SearchLimits;
  /** Told of every token as it is chosen; throws to stop. */
  onToken: (sampled: readonly number[]) => Promise<void>;
}

type Choose = (logits: Float32Array) => number;

async function follow({ model, start, rules, limits, onToken }: Search, choose: Choose): Promise<Hypothesis> {
  const result: Hypothesis = { tokens: [], sumLogprob: 0 };
  let logits: Float32Array = start.logits.slice();
  for (let position = start.position; ; ++position) {
    applyRules(rules, logits, result.tokens);
    const token = choose(logits);
    result.sumLogprob += logits[token]! - logSumExp(logits);
    if (token === limits.eot) return result;
    result.tokens.push(token);
    await onToken(result.tokens);
    const count = result.tokens.length;
    // The reference stops after appending, so one token may stand past the context; it is never fed.
    if (count >= limits.maxTokens || start.position + count > limits.maxLength) return result;
    logits = await model.decode([token], position);
  }
}

/** Takes the most likely token at every step (openai/whisper decoding.py: GreedyDecoder). */
export function greedySearch(search: Search): Promise<Hypothesis> {
  return follow(search, argmax);
}

/** A token from softmax(logits / temperature). */
export function randomToken(logits: Float32Array, temperature: number, random: Random): number {
  const max = maxLogit(logits);
  const probabilities = new Float64Array(logits.length);
  let total = 0;
  for (let i = 0; i < logits.length; ++i) {
    if (logits[i]! > MASKED_LOGIT / 2) {
      total += probabilities[i] = Math.exp((logits[i]! - max) / temperature);
    }
  }
  let rest = total * random.uniform();
  // Rounding may leave a rest at the end of the row: then the last possible token is meant.
  let token = 0;
  for (let i = 0; i < logits.length; ++i) {
    if (logits[i]! <= MASKED_LOGIT / 2) continue;
    token = i;
    rest -= probabilities[i]!;
    if (rest < 0) break;
  }
  return token;
}

/** `count` independent samples from softmax(logits / temperature), temperature > 0. */
export async function sample(
  search: Search,
  temperature: number,
  count: number,
  random: Random,
): Promise<Hypothesis[]> {
  const result: Hypothesis[] = [];
  while (result.length < count) {
    result.push(await follow(search, (logits) => randomToken(logits, temperature, random)));
  }
  return result;
}

/** The best by mean log-prob (decoding.py: MaximumLikelihoodRanker). */
export function bestHypothesis(hypotheses: readonly Hypothesis[]): Hypothesis {
  const score = ({ tokens, sumLogprob }: Hypothesis) => sumLogprob / Math.max(tokens.length, 1);
  return hypotheses.reduce((best, one) => (score(one) > score(best) ? one : best));
}
