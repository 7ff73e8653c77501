import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { EnergyDetector, type SpeechDetector, VAD_CHUNK, speechProbs } from '../src/speech_detector.js';
import { SpeechStream, SpeechTracker, type VadOptions } from '../src/speech_tracker.js';

interface Rules {
  options: Record<string, number>[];
  cases: { probs: number[]; samples: number; results: { segments: [number, number][] }[] }[];
}
// What faster-whisper's own code gives (tests/vad/make_vad_reference.py).
const rules = JSON.parse(
  readFileSync(new URL('../../tests/vad/rules.json', import.meta.url), 'utf8'),
) as Rules;

/** The reference's padding: neighbours share a shorter silence. */
function padded(segments: { start: number; end: number }[], pad: number, length: number): [number, number][] {
  const half = (silence: number) => (silence < 2 * pad ? Math.floor(silence / 2) : pad);
  return segments.map(({ start, end }, i) => {
    const before = segments[i - 1];
    const after = segments[i + 1];
    return [
      before ? start - half(start - before.end) : Math.max(0, start - pad),
      after ? end + half(after.start - end) : Math.min(length, end + pad),
    ];
  });
}

test('segments are those of faster-whisper', () => {
  let compared = 0;
  for (const [i, given] of rules.options.entries()) {
    if (given.neg_threshold !== undefined || given.min_silence_at_max_speech_ms !== undefined) continue;
    for (const { probs, samples, results } of rules.cases) {
      const padMs = given.speech_pad_ms ?? 400;
      const tracker = new SpeechTracker({
        threshold: given.threshold ?? 0.5,
        minSpeechMs: given.min_speech_duration_ms ?? 0,
        maxSpeechSeconds: given.max_speech_duration_s ?? Infinity,
        minSilenceMs: given.min_silence_duration_ms ?? 2000,
        padMs,
      });
      const found = probs.map((prob) => tracker.next(prob));
      found.push(tracker.finish(samples));
      const segments = found.filter((one) => one !== null);
      expect(padded(segments, padMs * 16, samples)).toEqual(results[i]!.segments);
      ++compared;
    }
  }
  expect(compared).toBeGreaterThan(100);
});

/** Says of each chunk what its first sample is. */
const echo: SpeechDetector = {
  reset() {},
  hear: async (chunks) => chunks.filter((_, i) => i % VAD_CHUNK === 0),
};
const OPTIONS: VadOptions = { minSpeechMs: 64, minSilenceMs: 96, padMs: 64 };

async function events(sound: Float32Array, step: number) {
  const stream = new SpeechStream(echo, OPTIONS);
  const found = [];
  for (let at = 0; at < sound.length; at += step) found.push(...(await stream.push(sound.subarray(at, at + step))));
  return [...found, ...(await stream.finish())].map(({ kind, sample }) => [kind, sample / VAD_CHUNK]);
}

const chunks = (...parts: [count: number, prob: number][]) =>
  Float32Array.from(parts.flatMap(([count, prob]) => Array<number>(count * VAD_CHUNK).fill(prob)));

test.each([1000, 511, 513, 100000])('utterances begin and end, in pieces of %i samples', async (step) => {
  const sound = chunks([5, 0.1], [7, 0.9], [20, 0.1], [3, 0.9]);
  expect(await events(sound, step)).toEqual([
    ['start', 3],
    ['end', 14],
    ['start', 30],
    ['end', 35],
  ]);
});

test('what is too short is dropped', async () => {
  expect(await events(chunks([5, 0.1], [1, 0.9], [20, 0.1]), 512)).toEqual([
    ['start', 3],
    ['dropped', 5],
  ]);
});

test('impossible options are refused', () => {
  expect(() => new SpeechStream(echo, { threshold: 2 })).toThrow('threshold');
  expect(() => new SpeechStream(echo, { maxSpeechSeconds: 0.1 })).toThrow('maxSpeechSeconds');
});

test('loud sound is speech, its background is not', async () => {
  const sound = Float32Array.from({ length: 40 * VAD_CHUNK }, (_, i) => (i < 20 * VAD_CHUNK ? 1e-3 : 0.2) * Math.sin(i));
  const probs = await speechProbs(new EnergyDetector(), sound);
  expect(probs).toHaveLength(41);
  expect(probs[19]).toBeLessThan(0.1);
  expect(probs[20]).toBeGreaterThan(0.9);
});
