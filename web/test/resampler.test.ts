import { expect, test } from 'vitest';
import { Resampler } from '../src/resampler.js';

const tone = (rate: number, frequency: number, seconds = 0.5) =>
  Float32Array.from({ length: rate * seconds }, (_, i) => Math.sin((2 * Math.PI * frequency * i) / rate));

function resampled(sound: Float32Array, rate: number, piece: number): number[] {
  const resampler = new Resampler(rate);
  const result: number[] = [];
  for (let at = 0; at < sound.length; at += piece) result.push(...resampler.push(sound.subarray(at, at + piece)));
  return result;
}

test.each([48000, 44100, 16000, 8000])('a tone of %i Hz stays what it is', (rate) => {
  const got = resampled(tone(rate, 1000), rate, rate / 100);
  const wanted = tone(16000, 1000);
  expect(got.length).toBeGreaterThan(wanted.length - 50);
  // Not at the beginning, before which there is silence.
  const errors = got.slice(50).map((one, i) => Math.abs(one - wanted[50 + i]!));
  expect(Math.max(...errors)).toBeLessThan(0.01);
});

test('what 16 kHz cannot hold is left out', () => {
  const got = resampled(tone(48000, 10000), 48000, 480);
  expect(Math.max(...got.slice(50).map(Math.abs))).toBeLessThan(0.01);
});

test('pieces make no difference', () => {
  const sound = tone(44100, 440, 0.1);
  expect(resampled(sound, 44100, 7)).toEqual(resampled(sound, 44100, 4410));
});
