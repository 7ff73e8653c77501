import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { MASKED_LOGIT, argmax, logSumExp, softmaxAt } from '../src/logit_math.js';
import { applyRules, applyTimestampRules } from '../src/logit_rules.js';
import type { ModelConfig } from '../src/model_info.js';
import { toyInfo } from './scripted_model.js';

// The small vocabulary of tests/decoding/make_timestamp_rules_reference.py.
const EOT = 20;
const VOCAB = 61;
const config: ModelConfig = { ...toyInfo().config, eos_token_id: EOT, no_timestamps_token_id: 29 };

interface Case {
  logits: number[];
  sampled: number[];
  max_initial_timestamp_index: number | null;
  allowed: number[];
}
const cases = JSON.parse(
  readFileSync(new URL('../../tests/decoding/timestamp_rules_reference.json', import.meta.url), 'utf8'),
) as Case[];

const allowed = (logits: Float32Array) =>
  [...logits.keys()].filter((id) => logits[id]! > MASKED_LOGIT);

test('timestamp rules agree with the reference', () => {
  expect(cases).toHaveLength(120);
  for (const one of cases) {
    const logits = Float32Array.from(one.logits);
    applyTimestampRules(logits, one.sampled, config, one.max_initial_timestamp_index);
    expect(allowed(logits)).toEqual(one.allowed);
  }
});

test('rows after the last timestamp are not times', () => {
  const logits = new Float32Array(30 + 1501 + 3);
  applyTimestampRules(logits, [], config, null);
  expect(logits[30 + 1500]).toBe(0);
  expect(logits[30 + 1501]).toBe(MASKED_LOGIT);
});

test('blanks are suppressed at the first position, tokens everywhere', () => {
  const rules = { config, blankTokens: [4, EOT], suppressedTokens: [0, 60], timestamps: false, maxInitialIndex: null };
  const first = new Float32Array(VOCAB);
  applyRules(rules, first, []);
  expect([0, 4, EOT, 60].every((id) => first[id] === MASKED_LOGIT)).toBe(true);
  expect(allowed(first)).toHaveLength(VOCAB - 4);
  const later = new Float32Array(VOCAB);
  applyRules(rules, later, [7]);
  expect(allowed(later)).toHaveLength(VOCAB - 2);
});

test('masked logits have no weight', () => {
  const logits = new Float32Array(2000).fill(MASKED_LOGIT);
  logits[3] = 1.5;
  expect(logSumExp(logits)).toBe(1.5);
  expect(softmaxAt(logits, 3)).toBe(1);
  expect(softmaxAt(logits, 4)).toBe(0);
  expect(logSumExp(new Float32Array())).toBe(MASKED_LOGIT);
});

test('logSumExp agrees with the sum', () => {
  const logits = Float32Array.from({ length: 51865 }, (_, i) => 8 * Math.sin(i));
  const sum = logits.reduce((before, one) => before + Math.exp(one), 0);
  expect(logSumExp(logits)).toBeCloseTo(Math.log(sum), 6);
});

test('argmax takes the first of equal values', () => {
  expect(argmax(Float32Array.of(-5, -4, -4))).toBe(1);
});
